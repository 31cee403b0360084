import Cryptography
import Domain
import Glibc
import Storage
import Testing

@testable import Audit

/// Figures for the decision notes; meaningful in a release build only.
@Suite("Audit figures", .serialized, .enabled(if: getenv("KEYTURN_FIGURES") != nil, "KEYTURN_FIGURES is not set"))
struct AuditFigures {
    static func microseconds(_ duration: Duration, each count: Int) -> Double {
        let (seconds, attoseconds) = duration.components
        return (Double(seconds) * 1e6 + Double(attoseconds) / 1e12) / Double(count)
    }

    func note(_ line: String) {
        var text = Array((line + "\n").utf8)
        write(1, &text, text.count)
    }

    @Test("what an entry costs: stored form, chain and insert, by batch size", arguments: [1, 16, 64, 256])
    func writing(size: Int) throws {
        let audit = try AuditFixture()
        let connection = try audit.database.makeConfinedConnection(writable: true)
        let transaction = try CommitTransaction(connection, path: audit.database.path, options: AuditOptions())
        let rounds = max(100, 25_000 / size)
        let entries = (0..<size).map { AuditEntry.sample($0) }
        let batch = AuditBatch { _, _ in }
        var encoding = Duration.zero
        let clock = ContinuousClock()
        let start = clock.now
        let cpu = Self.cpuTime()
        for _ in 0..<rounds {
            let begin = clock.now
            batch.removeAll()
            for entry in entries { batch.append(entry) }
            encoding += begin.duration(to: clock.now)
            _ = try transaction.commit([batch], signing: nil, at: .now)
        }
        let whole = Self.microseconds(start.duration(to: clock.now), each: rounds * size)
        let used = Self.microseconds(Self.cpuTime() - cpu, each: rounds * size)
        note("batch \(size): \(whole) us an entry, of it encode \(Self.microseconds(encoding, each: rounds * size)); cpu \(used)")
        #expect(whole > 0)
    }

    @Test("how fast a chain is verified, exported and listed")
    func reading() async throws {
        let audit = try AuditFixture()
        let count = 200_000
        let log = try audit.open()
        let told = Monitor(0)
        let clock = ContinuousClock()
        let writing = clock.now
        for round in 0..<count / 1000 {
            let batch = AuditBatch { _, _ in told.change { $0 += 1 } }
            for number in 0..<1000 { batch.append(.sample(round * 1000 + number)) }
            try log.submit(batch)
            _ = told.wait(upTo: nil) { $0 >= round - 8 ? true : nil }
        }
        _ = told.wait(upTo: nil) { $0 == count / 1000 ? true : nil }
        note("through the log: \(Self.microseconds(writing.duration(to: clock.now), each: count)) us an entry")
        let connection = try audit.database.makeConfinedConnection(writable: false)
        let resident = try residentKibibytes()
        let verifying = Self.cpuTime()
        #expect(try AuditVerifier().verify(connection).fault == nil)
        note("verify: \(Self.microseconds(Self.cpuTime() - verifying, each: count)) us of cpu an entry")
        let exporting = Self.cpuTime()
        try AuditExport.stream(connection) { _ in }
        note("export: \(Self.microseconds(Self.cpuTime() - exporting, each: count)) us an entry")
        // The entries alone are about 100 MiB.
        let grown = try residentKibibytes() - resident
        note("verify and export took \(grown) KiB")
        #expect(grown < 40 << 10)
        for (name, query) in Self.queries {
            let listing = Self.cpuTime()
            let page = try await log.list(query)
            note(
                "list \(name): \(Self.microseconds(Self.cpuTime() - listing, each: count)) us an entry, \(page.total) found"
            )
        }
        let bytes = try audit.database.readSync { try $0.integer("PRAGMA page_count") } * 4096
        note("\(bytes / Int64(count)) bytes an entry")
        log.close()
    }

    static var queries: [(String, AuditQuery)] {
        var organization = AuditQuery()
        organization.organization = OrganizationID(high: 0, low: 2)
        var text = AuditQuery()
        text.texts = [.init(.object(kind: "asset"), contains: "db-199")]
        var none = AuditQuery()
        none.actions = [.login]
        return [("by organization", organization), ("by text", text), ("without a hit", none)]
    }

    static func cpuTime() -> Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
