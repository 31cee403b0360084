import Cryptography
import Domain
import Storage
import Synchronization
import Testing

@testable import Audit

@Suite("Audit log")
struct AuditLogTests {
    @Test("an appended entry is in the chain, linked to the one before it")
    func append() async throws {
        let audit = try AuditFixture()
        let log = try audit.open()
        for number in 0..<3 { try await log.append(.sample(number)) }
        log.close()
        let rows = try audit.rows()
        #expect(rows.map(\.seq) == [1, 2, 3])
        var head = ChainHead.genesis
        let hasher = try ChainHasher()
        for row in rows {
            head = try row.body.withUnsafeBytes { try hasher.link($0, to: head) }
            #expect(head.hash == row.hash)
        }
        #expect(try rows.map { try EntryReader.read($0.body) } == (0..<3).map { AuditEntry.sample($0) })
    }

    @Test("a reopened log goes on where the chain ended")
    func reopen() throws {
        let audit = try AuditFixture()
        for _ in 0..<3 { try audit.write(2) }
        #expect(try audit.rows().map(\.seq) == Array(1...6))
        let log = try audit.open()
        #expect(log.status.head.seq == 6)
        log.close()
    }

    @Test("concurrent submitters find every entry in the chain exactly once")
    func concurrent() async throws {
        let audit = try AuditFixture()
        let log = try audit.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<20 {
                group.addTask { for number in 0..<20 { try await log.append(.sample(task * 20 + number)) } }
            }
            try await group.waitForAll()
        }
        log.close()
        let requests = try audit.rows().map { try EntryReader.read($0.body).request.low }
        #expect(requests.sorted() == (0..<400).map { UInt64($0) })
    }

    @Test("a batch is told once, after all of its entries are durable, and can be used again")
    func batches() throws {
        let audit = try AuditFixture()
        let log = try audit.open()
        let told = Monitor(0)
        let durable = Mutex<[Int]>([])
        let batch = AuditBatch { batch, result in
            let count = (try? audit.rows().count) ?? -1
            durable.withLock { $0.append(count) }
            told.change { $0 += 1 }
        }
        for round in 1...3 {
            for number in 0..<10 { batch.append(.sample(number)) }
            try log.submit(batch)
            _ = told.wait(upTo: .seconds(60)) { $0 == round ? true : nil }
            batch.removeAll()
        }
        log.close()
        #expect(durable.withLock { $0 } == [10, 20, 30])
    }

    @Test("a closed log refuses entries")
    func closed() throws {
        let audit = try AuditFixture()
        let log = try audit.open()
        log.close()
        #expect(throws: AuditFault.closed) { try log.appendSync(.sample(1)) }
    }

    @Test("finishing commits and signs what waits")
    func finish() async throws {
        let audit = try AuditFixture()
        let log = try audit.open { $0.signingDelay = .seconds(3600) }
        log.setSigningKey(try Ed25519.SigningKey.random())
        for number in 0..<5 {
            let batch = AuditBatch { _, _ in }
            batch.append(.sample(number))
            try log.submit(batch)
        }
        await log.finish()
        #expect(log.status.head.seq == 5)
        #expect(log.status.signedSeq == 5)
        log.close()
    }

    @Test("more waiting entries than the bound are refused as overload, and none of those taken is lost")
    func overload() throws {
        let audit = try AuditFixture()
        let release = Monitor(false)
        let log = try audit.open {
            $0.capacity = 10
            // Holds the committer after its first commit.
            $0.observer = { _ in _ = release.wait(upTo: .seconds(60)) { $0 ? true : nil } }
        }
        var taken = 0
        var refused = 0
        for number in 0..<30 {
            let batch = AuditBatch { _, _ in }
            batch.append(.sample(number))
            do throws(AuditFault) {
                try log.submit(batch)
                taken += 1
            } catch {
                #expect(error == .overloaded)
                refused += 1
            }
        }
        #expect(refused >= 20)
        release.change { $0 = true }
        log.close()
        #expect(try audit.rows().count == taken)
    }

    @Test("segments begin after so many entries and name the hash that they go on from")
    func segments() throws {
        let audit = try AuditFixture()
        let log = try audit.open { $0.segmentEntries = 4 }
        for number in 0..<10 { try log.appendSync(.sample(number)) }
        log.close()
        let rows = try audit.rows()
        let segments = try audit.database.readSync { try AuditSegments.all($0) }
        #expect(segments.map(\.firstSeq) == [1, 5, 9])
        #expect(segments.map(\.firstHash) == [ChainHead.genesis.hash, rows[3].hash, rows[7].hash])
    }

    @Test("a segment ends after its age")
    func segmentAge() throws {
        let audit = try AuditFixture()
        let log = try audit.open { $0.segmentAge = .seconds(60) }
        for second in [0, 59, 60, 61, 130] {
            var entry = AuditEntry.sample(1)
            entry.time = Timestamp(milliseconds: 1_700_000_000_000).adding(seconds: Int64(second))
            try log.appendSync(entry)
        }
        log.close()
        #expect(try audit.database.readSync { try AuditSegments.all($0) }.map(\.firstSeq) == [1, 3, 5])
    }
}

@Suite("Intents")
struct IntentTests {
    @Test("an intent is open until its outcome is written, also over a restart")
    func settle() async throws {
        let audit = try AuditFixture()
        var log = try audit.open()
        let first = try await log.beginIntent(.sample(1))
        let second = try await log.beginIntent(.sample(2))
        try await log.closeIntent(first, .sample(1))
        log.close()
        log = try audit.open()
        let open = try await log.openIntents()
        #expect(open.map(\.id) == [second])
        #expect(open.first?.entry.phase == .intent)
        #expect(open.first?.entry.outcome == .open)
        try await log.closeIntent(second, .sample(2))
        #expect(try await log.openIntents().isEmpty)
        log.close()
        let entries = try audit.rows().map { try EntryReader.read($0.body) }
        #expect(entries.map(\.phase) == [.intent, .intent, .outcome, .outcome])
        #expect(entries.map(\.request.low) == [1, 2, 1, 2])
    }

    @Test("two intents of one request are settled one by one")
    func sameRequest() async throws {
        let audit = try AuditFixture()
        let log = try audit.open()
        let first = try await log.beginIntent(.sample(1))
        let second = try await log.beginIntent(.sample(1))
        try await log.closeIntent(first, .sample(1))
        #expect(try await log.openIntents().map(\.id) == [second])
        log.close()
    }
}
