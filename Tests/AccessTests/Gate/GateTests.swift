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

    @Test("a change that was committed before a later step failed is written down as made, whatever is answered")
    func madeAndFailed() async throws {
        let database = house.database
        let gate = Gate(
            audit: house.audit, isMade: { request in try await database.read { try ChangeMarks.exists(request, on: $0) } })
        for isCommitted in [true, false] {
            let origin = house.origin()
            await #expect(throws: StorageFault.corrupt("later")) {
                try await gate.change(.changeAccount, as: admin, in: .default, from: origin) { _ -> Gate.Outcome<Void> in
                    if isCommitted {
                        try await database.write { try ChangeMarks.insert(origin.request, at: TestHouse.start, on: $0) }
                    }
                    throw StorageFault.corrupt("later")
                }
            }
            let last = try #require(try house.entries().last)
            #expect(last.outcome == (isCommitted ? .granted : .failed))
            #expect(last.reason == (isCommitted ? "made, but what follows it failed: StorageFault" : "StorageFault"))
        }
    }

    @Test("a change whose outcome could not be written is settled as soon as the audit works, without a new start")
    func owedOutcome() async throws {
        let house = house
        await #expect(throws: Refusal.unavailable("The audit log cannot be written.")) {
            try await house.gate.change(.changeAccount, as: admin, in: .default, from: house.origin()) { _ in
                try house.breakAudit()
                return .init(())
            }
        }
        #expect(try entries() == ["account.change intent open"])
        try house.mendAudit()
        for _ in 0..<3000 where try await !house.audit.openIntents().isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        #expect(try await house.audit.openIntents().isEmpty)
        #expect(
            try entries() == ["account.change intent open", "audit.recover single granted", "account.change outcome granted"])
    }

    @Test("a request of somebody known that fails before the gate leaves one entry; one that the gate saw leaves no second")
    func attended() async throws {
        let house = house
        func attend(_ act: () async throws -> Void) async throws {
            try await house.gate.attend(
                .init(.changeAccount), by: admin.actor, from: house.origin(), wording: { $0.code }, act)
        }
        await #expect(throws: Refusal.notFound) { try await attend { throw Refusal.notFound } }
        await #expect(throws: StorageFault.self) { try await attend { throw StorageFault.corrupt("x") } }
        try await attend {}
        let lines = try house.entries().map { "\($0.actor.name) \($0.action.rawValue) \($0.outcome.rawValue) \($0.reason)" }
        #expect(lines == ["admin account.change refused not_found", "admin account.change failed StorageFault"])

        let origin = house.origin()
        await #expect(throws: Refusal.notFound) {
            try await house.gate.attend(.init(.changeAccount), by: admin.actor, from: origin, wording: { $0.code }) {
                try await house.gate.change(.changeAccount, as: admin, in: .default, from: origin) { _ -> Gate.Outcome<Void> in
                    throw Refusal.notFound
                }
            }
        }
        #expect(try entries().suffix(2) == ["account.change intent open", "account.change outcome refused"])
        #expect(try entries().count == 4)
    }

    @Test("a flood of strangers' requests that fail early is counted like every flood of refusals")
    func attendedStrangers() async throws {
        let house = try TestHouse(refusals: RefusalLimits(perPrefix: 3, overall: 3))
        for _ in 0..<10 {
            await #expect(throws: Refusal.notFound) {
                try await house.gate.attend(.login, by: nil, from: house.origin(), wording: { $0.code }) {
                    throw Refusal.notFound
                }
            }
        }
        try await house.audit.settle()
        #expect(try house.entries().map(\.count) == [1, 1, 1, 7])
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
