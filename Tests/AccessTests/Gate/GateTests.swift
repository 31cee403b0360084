import Access
import Audit
import Domain
import Sealing
import Storage
import Testing

@Suite("Gate")
struct GateTests {
    let house: TestHouse
    let admin = Principal(actor: .user(UserID(high: 1, low: 1), name: "admin"), permissions: [.viewAccount, .changeAccount])

    init() throws { house = try TestHouse() }

    func entries() throws -> [String] {
        try house.entries().map { "\($0.action.rawValue) \($0.phase.rawValue) \($0.outcome.rawValue)" }
    }

    @Test("a read is written down with its outcome before its result is returned")
    func view() async throws {
        let origin = house.origin()
        let object = AuditObject(kind: "account", id: "1", name: "root")
        let value = try await house.gate.view(.viewAccount, as: admin, in: .default, from: origin) { permit in
            #expect(permit.warrant().permits(.viewAccount, in: .default))
            #expect(
                !permit.warrant().permits(.viewAccount, in: TestHouse.other)
                    && !permit.warrant().permits(.changeAccount, in: .default))
            return .init(7, objects: [object], version: 3)
        }
        #expect(value == 7)
        let entry = try #require(try house.entries().last)
        #expect(entry.outcome == .granted && entry.objects == [object] && entry.version == 3 && entry.request == origin.request)
        #expect(entry.actor == admin.actor && entry.organization == .default && entry.address == "192.0.2.1")
    }

    @Test("a change is announced before it is made, and its outcome follows")
    func change() async throws {
        let house = house
        try await house.gate.change(.changeAccount, as: admin, in: .default, from: house.origin()) { _ in
            let before = try house.entries().map(\.outcome)
            #expect(before == [.open])
            return .init(())
        }
        #expect(try entries() == ["account.change intent open", "account.change outcome granted"])
        #expect(try await house.audit.openIntents().isEmpty)
    }

    @Test("without the permission nothing runs, and the refusal is written down")
    func forbidden() async throws {
        await #expect(throws: Refusal.forbidden(.revealAccount)) {
            try await house.gate.view(.revealAccount, as: admin, in: .default, from: house.origin()) { _ in
                #expect(Bool(false), "ran")
                return .init(())
            }
        }
        await #expect(throws: Refusal.forbidden(.deleteAccount)) {
            try await house.gate.change(.deleteAccount, as: admin, in: .default, from: house.origin()) { _ in .init(()) }
        }
        #expect(try entries() == ["account.reveal single refused", "account.delete single refused"])
        #expect(try house.entries().first?.reason == "lacks account.reveal")
    }

    @Test("a refusal inside is written down with its true reason, a failure with its kind, damaged data by name")
    func failures() async throws {
        let failures: [(any Error & Sendable, AuditOutcome, String)] = [
            (Refusal.notFound, .refused, "not_found"),
            (Refusal.integrity("row"), .failed, "integrity: row"),
            (StorageFault.corrupt("secret value"), .failed, "StorageFault"),
            (
                SealingFault.rowNotAuthentic(kind: "account", id: "01"), .failed,
                #"integrity: rowNotAuthentic(kind: "account", id: "01")"#
            ),
        ]
        for (failure, outcome, reason) in failures {
            await #expect(throws: (any Error).self) {
                try await house.gate.change(.changeAccount, as: admin, in: .default, from: house.origin()) {
                    _ -> Gate.Outcome<Void> in
                    throw failure
                }
            }
            let last = try #require(try house.entries().last)
            #expect(last.outcome == outcome && last.reason == reason)
        }
        #expect(try await house.audit.openIntents().isEmpty)
    }

    @Test("while the audit cannot be written no read returns its result and no change begins")
    func auditFails() async throws {
        try house.breakAudit()
        await #expect(throws: Refusal.unavailable("The audit log cannot be written.")) {
            _ = try await house.gate.view(.viewAccount, as: admin, in: .default, from: house.origin()) { _ in .init("secret") }
        }
        await #expect(throws: Refusal.unavailable("The audit log cannot be written.")) {
            try await house.gate.change(.changeAccount, as: admin, in: .default, from: house.origin()) { _ in
                #expect(Bool(false), "ran without its announcement")
                return .init(())
            }
        }
        await #expect(throws: Refusal.unavailable("The audit log cannot be written."), "a refusal is not told either") {
            try await house.gate.view(.revealAccount, as: admin, in: .default, from: house.origin()) { _ in .init(()) }
        }
        #expect(try entries().isEmpty)
    }
}
