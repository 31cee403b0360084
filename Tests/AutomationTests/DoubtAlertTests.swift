import Access
import Automation
import Connectors
import Domain
import Logging
import Notifications
import Synchronization
import Testing

@testable import Storage

@Suite("Alerts of doubts")
struct DoubtAlertTests {
    @Test(
        "a doubt is told of though its account or its asset cannot be read",
        arguments: ["UPDATE accounts SET secret_type = 'odd'", "UPDATE assets SET protocols = x'FF'"] as [StaticString])
    func nameless(damage: StaticString) async throws {
        let shop = try Workshop(state: {
            $0.tricks = [.appliedThenCut]
            $0.locksWorkerAfterInstall = true
        })
        shop.target.with { $0.logins = [.failure(.init(.unreachable, effect: .none))] }
        _ = await shop.turn()
        let channel = KeepingChannel()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let keeper = RowKeeper(keyring: shop.keyring)
        let outbox = Outbox(
            database: shop.database, keeper: keeper, channels: [channel], clock: shop.clock.wall, logger: logger)
        let alert = DoubtAlert(
            database: shop.database, keys: keeper, outbox: outbox, meter: AutomationMeter(), after: .seconds(3600),
            clock: shop.clock.wall, logger: logger)
        try shop.database.writeSync { db in _ = try db.execute(damage, []) }
        shop.clock.advance(seconds: 3601)
        #expect(try await alert.look().count == 1)
        _ = try await outbox.deliverDue()
        #expect(channel.events.withLock { $0 } == ["change.uncertain"])
    }

    @Test("a doubt that lasts is told once, with the numbers, and no more when it is settled")
    func once() async throws {
        // The target is gone after the secret was sent.
        let shop = try Workshop(state: {
            $0.tricks = [.appliedThenCut]
            $0.locksWorkerAfterInstall = true
        })
        shop.target.with { $0.logins = [.failure(.init(.unreachable, effect: .none))] }
        _ = await shop.turn()
        #expect(try shop.open?.stage == .uncertain)
        let channel = KeepingChannel()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let keeper = RowKeeper(keyring: shop.keyring)
        let outbox = Outbox(
            database: shop.database, keeper: keeper, channels: [channel], clock: shop.clock.wall, logger: logger)
        let meter = AutomationMeter()
        func alert() -> DoubtAlert {
            DoubtAlert(
                database: shop.database, keys: keeper, outbox: outbox, meter: meter, after: .seconds(3600),
                clock: shop.clock.wall, logger: logger)
        }
        #expect(try await alert().look() == [])
        #expect(meter.doubtsNow == 1)
        shop.clock.advance(seconds: 3601)
        #expect(try await alert().look().count == 1)
        // Another one, as after a start.
        #expect(try await alert().look().count == 1)
        #expect(meter.oldestDoubtSeconds == 3601)
        _ = try await outbox.deliverDue()
        #expect(channel.events.withLock { $0 } == ["change.uncertain"])
        shop.target.with {
            $0.workerFault = nil
            $0.locksWorkerAfterInstall = false
        }
        try await shop.settle()
        #expect(try await alert().look() == [])
        #expect(meter.doubtsNow == 0 && meter.oldestDoubtSeconds == 0)
    }
}

/// An alert of doubts over a shop, and what it has sent.
struct DoubtWatch {
    private let alert: DoubtAlert
    private let outbox: Outbox
    private let channel = KeepingChannel()

    init(_ shop: Workshop, patience: Duration) {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let keeper = RowKeeper(keyring: shop.keyring)
        outbox = Outbox(database: shop.database, keeper: keeper, channels: [channel], clock: shop.clock.wall, logger: logger)
        alert = DoubtAlert(
            database: shop.database, keys: keeper, outbox: outbox, meter: AutomationMeter(), after: patience,
            clock: shop.clock.wall, logger: logger)
    }

    func look() async throws -> [ChangeID] { try await alert.look() }

    /// The texts of what was sent, all of it from the beginning.
    func delivered() async throws -> [String] {
        _ = try await outbox.deliverDue()
        return channel.texts.withLock { $0 }
    }
}

private final class KeepingChannel: Channel {
    let name = "webhook"
    let events = Mutex<[String]>([])
    let texts = Mutex<[String]>([])

    func accepts(_ recipient: String) -> Bool { recipient.isEmpty }

    func deliver(_ delivery: Delivery) async throws(DeliveryFault) {
        events.withLock { $0.append(delivery.event) }
        texts.withLock { $0.append(delivery.text) }
    }
}
