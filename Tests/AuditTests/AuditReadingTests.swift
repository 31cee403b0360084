import Cryptography
import Domain
import Storage
import Testing

@testable import Audit

@Suite("Audit export")
struct AuditExportTests {
    @Test("each line is the entry as it is chained, so that the chain can be checked from the export alone")
    func lines() throws {
        let audit = try AuditFixture()
        try audit.write(5)
        var text: [UInt8] = []
        let connection = try audit.database.makeConfinedConnection(writable: false)
        #expect(try AuditExport.stream(connection, to: { text += $0 }) == 5)
        var head = ChainHead.genesis
        for line in text.split(separator: 10) {
            let line = String(decoding: line, as: UTF8.self)
            let seq = head.seq + 1
            #expect(line.hasPrefix("{\"seq\":\(seq),"))
            let hash = String(line.suffix(66).prefix(64))
            let body = "{" + line.dropFirst("{\"seq\":\(seq),".count).dropLast(",\"hash\":\"\"}".count + 64) + "}"
            head = try Array(body.utf8).withUnsafeBytes { try ChainHasher().link($0, to: head) }
            #expect(Hexadecimal.text(head.hash) == hash)
        }
        #expect(head.seq == 5)
    }

    @Test("an export can be taken up again after any entry")
    func resumed() throws {
        let audit = try AuditFixture()
        try audit.write(5)
        let connection = try audit.database.makeConfinedConnection(writable: false)
        var whole: [UInt8] = []
        try AuditExport.stream(connection) { whole += $0 }
        var pieces: [UInt8] = []
        var last: Int64 = 0
        while let next = try AuditExport.page(after: last, limit: 2, into: &pieces, connection) { last = next }
        #expect(pieces == whole)
    }
}

@Suite("Audit lists")
struct AuditQueryTests {
    let audit: AuditFixture
    let log: AuditLog

    init() throws {
        audit = try AuditFixture()
        log = try audit.open()
        for number in 0..<30 {
            var entry = AuditEntry.sample(number)
            if number % 10 == 3 { entry.outcome = .refused }
            if number % 10 == 3 { entry.reason = "wrong \"Address\"" }
            if number % 5 == 0 { entry.organization = OrganizationID(high: 9, low: 9) }
            if number == 7 { entry.actor = .user(UserID(high: 8, low: 8), name: "Ann") }
            if number == 7 { entry.action = .login }
            try log.appendSync(entry)
        }
    }

    func seqs(_ change: (inout AuditQuery) -> Void) async throws -> [Int64] {
        var query = AuditQuery()
        change(&query)
        return try await log.list(query).records.map(\.seq)
    }

    @Test("a list has the newest entries first, page by page, with the number of all")
    func paging() async throws {
        var query = AuditQuery()
        (query.offset, query.limit) = (5, 3)
        let page = try await log.list(query)
        #expect(page.records.map(\.seq) == [25, 24, 23])
        #expect((page.total, page.isComplete) == (30, true))
        #expect(page.records.first?.entry == .sample(24))
        #expect(page.records.first?.hash == (try audit.rows()[24].hash))
        query.offset = 100
        #expect(try await log.list(query) == AuditPage(records: [], total: 30, isComplete: true))
    }

    @Test("columns and texts both filter, and conditions hold together")
    func filters() async throws {
        #expect(try await seqs { $0.organization = OrganizationID(high: 9, low: 9) } == [26, 21, 16, 11, 6, 1])
        #expect(try await seqs { $0.outcomes = [.refused] } == [24, 14, 4])
        #expect(try await seqs { ($0.outcomes, $0.isOldestFirst) = ([.refused], true) } == [4, 14, 24])
        #expect(try await seqs { $0.outcomes = [.refused, .granted] }.count == 30)
        #expect(try await seqs { $0.actions = [.login] } == [8])
        #expect(try await seqs { $0.actorKinds = ["user"] } == [8])
        #expect(try await seqs { $0.actorID = Identifier(high: 8, low: 8) } == [8])
        #expect(try await seqs { $0.request = RequestID(high: 5, low: 11) } == [12])
        let from = Timestamp(milliseconds: 1_700_000_000_010)
        #expect(try await seqs { ($0.from, $0.to) = (from, Timestamp(milliseconds: from.milliseconds + 1)) } == [12, 11])
        #expect(
            try await seqs { $0.texts = [.init(.object(kind: "asset"), contains: "DB-2")] } == [
                30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 3,
            ])
        #expect(try await seqs { $0.texts = [.init(.object(kind: "asset"), is: "db-2")] } == [3])
        #expect(try await seqs { $0.texts = [.init(.object(kind: "asset"), contains: "root")] } == [])
        #expect(
            try await seqs { $0.texts = [.init(.anywhere, contains: "root-2"), .init(.reason, contains: "address")] } == [24])
        #expect(try await seqs { $0.texts = [.init(.reason, contains: "\"address\"")] } == [24, 14, 4])
        #expect(try await seqs { $0.texts = [.init(.actorName, contains: "ann")] } == [8])
        #expect(try await seqs { $0.texts = [.init(.address, is: "192.0.2.7")] }.count == 30)
        #expect(try await seqs { $0.texts = [.init(.anywhere, contains: "%")] } == [])
        #expect(try await seqs { $0.limit = 0 } == [])
    }

    @Test("a list that gave up says so")
    func bounded() async throws {
        var query = AuditQuery()
        query.scanLimit = 10
        query.organization = OrganizationID(high: 9, low: 9)
        let page = try await log.list(query)
        #expect((page.total, page.isComplete) == (2, false))
    }

    @Test("a long audit is looked at where the dates say, however much came later")
    func dated() async throws {
        let base: Int64 = 1_700_000_000_000
        func list(_ from: Int64?, _ to: Int64?, slack: Int64 = 0, limit: Int64 = 10) async throws -> ([Int64], Bool) {
            var query = AuditQuery()
            (query.scanLimit, query.clockSlack) = (limit, slack)
            query.from = from.map { Timestamp(milliseconds: base + $0) }
            query.to = to.map { Timestamp(milliseconds: base + $0) }
            let page = try await log.list(query)
            return (page.records.map(\.seq), page.isComplete)
        }
        #expect(try await list(3, 6) == ([7, 6, 5, 4], true))
        #expect(try await list(nil, 4) == ([5, 4, 3, 2, 1], true))
        #expect(try await list(nil, 14) == (Array((6...15).reversed()), false))
        #expect(try await list(25, nil) == ([30, 29, 28, 27, 26], true))
        #expect(try await list(nil, -1) == ([], true))
        #expect(try await list(100, nil) == ([], true))
        #expect(try await list(6, 3) == ([], true))
        // With more slack than the audit is long, dates do not tell where to look.
        #expect(try await list(3, 6, slack: 1) == ([], false))
    }
}

@Suite("A long audit")
struct LongAuditTests {
    @Test("tens of thousands of entries in batches are written, verified and exported page by page")
    func long() throws {
        let audit = try AuditFixture()
        let log = try audit.open()
        log.setSigningKey(try Ed25519.SigningKey.random())
        let told = Monitor(0)
        let batches = (0..<16).map { _ in AuditBatch { _, _ in told.change { $0 += 1 } } }
        for round in 1...20 {
            for batch in batches {
                batch.removeAll()
                for number in 0..<64 { batch.append(.sample(number)) }
                try log.submit(batch)
            }
            #expect(told.wait(upTo: .seconds(60)) { $0 == round * 16 ? true : nil } == true)
        }
        log.close()
        let entries: Int64 = 20 * 16 * 64
        let connection = try audit.database.makeConfinedConnection(writable: false)
        var verifier = AuditVerifier()
        verifier.checkpointFile = audit.checkpointPath
        let found = try verifier.verify(connection)
        #expect(found.fault == nil)
        #expect((found.entries, found.signedSeq) == (entries, entries))
        var (lines, largest) = (0, 0)
        try AuditExport.stream(connection) { bytes in
            lines += bytes.count { $0 == 10 }
            largest = max(largest, bytes.count)
        }
        #expect(lines == Int(entries))
        // What is held at a time is a page, however long the audit is.
        #expect(largest < 1 << 20)
    }
}
