package import Access
package import Domain
internal import Cryptography
internal import JSON
package import Logging
package import Storage

/// What was promised to be told, and the work of telling it: at least once, in spite of crashes and of receivers that are down.
///
/// A message is put in by the transaction of what it tells of. It is sent afterwards, tried again with growing pauses, and given up
/// after `patience`; what became of it stays visible for `memory`.
package final class Outbox: Sendable {
    /// How long a message is tried, in seconds.
    package static let patience: Int64 = 3 * 86_400
    /// How long what became of a message is kept, in seconds.
    package static let memory: Int64 = 30 * 86_400
    private static let batch: Int64 = 50

    private let database: Database
    private let keeper: RowKeeper
    private let channels: [any Channel]
    private let clock: WallClock
    private let logger: Logger

    package init(
        database: Database, keeper: RowKeeper, channels: [any Channel], clock: WallClock = .system, logger: Logger
    ) {
        self.database = database
        self.keeper = keeper
        self.channels = channels
        self.clock = clock
        self.logger = logger
    }

    /// Something that happened, to be told to those who asked for it.
    package struct Notice: Sendable {
        /// What happened, `noun.verb` in the past: `execution.finished`.
        package let event: String
        package let organization: OrganizationID
        package let subject: String
        /// Plain text for people.
        package let text: String
        /// The same for programs, by name; no value is ever a secret.
        package let facts: [(name: String, value: String)]
        /// Who gets a mail.
        package let recipients: [EmailAddress]

        package init(
            event: String, organization: OrganizationID, subject: String, text: String, facts: [(name: String, value: String)],
            recipients: [EmailAddress]
        ) {
            self.event = event
            self.organization = organization
            self.subject = subject
            self.text = text
            self.facts = facts
            self.recipients = recipients
        }
    }

    /// Whether there is a way to send mail.
    package var sendsMail: Bool { channels.contains { $0.name == Email.name } }

    /// Puts a message for each recipient into the outbox, in the caller's transaction. Where a channel is not configured, nothing
    /// waits for it.
    ///
    /// - Parameter occasion: what is told of; who was told of it before, as far back as messages are kept, is not told again. Nil for
    ///   what happens but once.
    package func put(
        _ notice: Notice, occasion: String? = nil, with keys: RowKeys, at now: Timestamp, on db: any SQLConnection
    ) throws {
        for channel in channels {
            let recipients = notice.recipients.map(\.text).filter { channel.accepts($0) } + (channel.accepts("") ? [""] : [])
            for recipient in recipients {
                let id = try occasion.map { try Self.id(of: $0, to: recipient, by: channel) } ?? .random()
                if occasion != nil, try Deliveries.exists(id, on: db) { continue }
                let delivery = Delivery(
                    id: id, organization: notice.organization, channel: channel.name, recipient: recipient, event: notice.event,
                    subject: notice.subject, text: notice.text, payload: Self.payload(notice, at: now), dateCreated: now)
                try Deliveries.insert(keys.authenticated(delivery), on: db)
            }
        }
    }

    /// The same for the same occasion.
    private static func id(of occasion: String, to recipient: String, by channel: any Channel) throws -> Delivery.ID {
        var place = CanonicalBytes()
        place.append(occasion)
        place.append(channel.name)
        place.append(recipient)
        let digest = try SHA256.digest(place.bytes)
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        // In the form of version 8 (RFC 9562, 5.8).
        return Delivery.ID(
            high: word(digest.prefix(8)) & 0xFFFF_FFFF_FFFF_0FFF | 0x8000,
            low: word(digest.dropFirst(8).prefix(8)) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }

    /// Sends what is due; returns how many messages were looked at. Does nothing while the vault is sealed.
    @discardableResult
    package func deliverDue() async throws -> Int {
        guard let keys = try? keeper.keys() else { return 0 }
        let now = clock.now()
        let due = try await database.read { db in try Deliveries.due(at: now, limit: Self.batch, on: db) }
        for found in due {
            try Task.checkCancellation()
            let row: Authenticated<Delivery>
            switch found {
            case .success(let readable): row = readable
            case .failure(let damaged):
                logger.error("a message cannot be read", metadata: ["delivery": "\(damaged.name)", "fault": "\(damaged.what)"])
                try await database.write { db in try Deliveries.abandon(damaged, on: db) }
                continue
            }
            var delivery = row.value
            do {
                delivery = try keys.verified(row)
                await attempt(&delivery)
            } catch {
                // Somebody else wrote it: nobody is told what it says.
                logger.error("a message is not what was stored", metadata: ["delivery": "\(delivery.id)"])
                delivery.state = .abandoned
                delivery.fault = "the row does not authenticate"
            }
            let settled = delivery
            try await database.write { db in try Deliveries.settle(settled, on: db) }
        }
        return due.count
    }

    /// Forgets what became of old messages.
    package func prune() async throws {
        let before = clock.now().adding(seconds: -Self.memory)
        _ = try await database.write { db in try Deliveries.prune(before: before, on: db) }
    }

    private func attempt(_ delivery: inout Delivery) async {
        delivery.attempts += 1
        do throws(DeliveryFault) {
            guard let channel = channels.first(where: { [name = delivery.channel] in $0.name == name }) else {
                throw DeliveryFault(isFinal: false, words: "the channel is not configured")
            }
            try await channel.deliver(delivery)
            delivery.state = .sent
            delivery.fault = ""
        } catch {
            let now = clock.now()
            delivery.fault = error.words
            delivery.dateDue = now.adding(seconds: Self.pause(after: delivery.attempts))
            let isTooLate = delivery.dateDue > delivery.dateCreated.adding(seconds: Self.patience)
            if error.isFinal || isTooLate { delivery.state = .abandoned }
            logger.warning(
                "a message was not delivered",
                metadata: [
                    "delivery": "\(delivery.id)", "channel": "\(delivery.channel)", "attempt": "\(delivery.attempts)",
                    "state": "\(delivery.state)", "fault": "\(error.words)",
                ])
        }
    }

    /// Seconds to wait after so many failures: a minute, doubled each time up to six hours.
    static func pause(after attempts: Int64) -> Int64 {
        min(60 << min(max(attempts - 1, 0), 16), 6 * 3600)
    }

    private static func payload(_ notice: Notice, at now: Timestamp) -> String {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("type", notice.event)
            writer.field("timestamp", WireDate.formatISO(now))
            writer.field("org_id", "\(notice.organization)")
            writer.key("data")
            writer.object { writer in
                for (name, value) in notice.facts { writer.field(name, value) }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
