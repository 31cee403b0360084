import Cryptography
import Domain
import Glibc
import Storage
import Synchronization
import Testing

@testable import Audit

@Suite("Failed commits")
struct AuditFailureTests {
    /// Makes inserts fail without touching the data: a trigger that raises.
    let breakIt: StaticString = "CREATE TRIGGER broken BEFORE INSERT ON audit_entries BEGIN SELECT RAISE(ABORT, 'broken'); END"
    let mendIt: StaticString = "DROP TRIGGER broken"

    @Test("a failed commit is told to everybody who waits, leaves no gap, and the log recovers by itself")
    func recovers() async throws {
        let audit = try AuditFixture()
        let log = try audit.open()
        try await log.append(.sample(1))
        try audit.change(breakIt)
        await #expect(throws: AuditFault.self) { try await log.append(.sample(2)) }
        #expect(!log.isHealthy)
        #expect(log.status.head.seq == 1)
        try audit.change(mendIt)
        #expect(try await eventually { log.isHealthy })
        try await log.append(.sample(3))
        log.close()
        let entries = try audit.rows().map { try EntryReader.read($0.body) }
        #expect(entries.map(\.action.rawValue) == ["secret.fetch", "audit.recover", "secret.fetch"])
        #expect(entries.map(\.request.low).last == 3)
        let found = try AuditVerifier().verify(try audit.database.makeConfinedConnection(writable: false))
        #expect(found.fault == nil)
    }

    @Test("an outcome that failed is written once and in order, even if the commit that failed was durable after all")
    func owedOutcomes() async throws {
        let audit = try AuditFixture()
        let log = try audit.open()
        var intents: [IntentID] = []
        for number in 0..<3 { intents.append(try await log.beginIntent(.sample(number))) }
        try audit.change(breakIt)
        for (number, intent) in intents.enumerated() {
            await #expect(throws: AuditFault.self) { try await log.closeIntent(intent, .sample(number)) }
        }
        #expect(try await log.openIntents().count == 3)
        // As if the outcome of the second had been written by the commit that seemed to fail.
        try audit.change("DELETE FROM audit_open_intents WHERE seq = 2")
        try audit.change(mendIt)
        let isSettled = try await eventually { log.isHealthy && log.status.head.seq == 6 }
        #expect(isSettled)
        #expect(try await log.openIntents().isEmpty)
        log.close()
        let entries = try audit.rows().map { try EntryReader.read($0.body) }
        #expect(entries.map(\.phase) == [.intent, .intent, .intent, .single, .outcome, .outcome])
        #expect(entries.suffix(2).map(\.request) == [intents[0].request, intents[2].request])
    }

    @Test("with the reserve released the commit is tried once more, and nobody is told of the failure")
    func reserve() async throws {
        let audit = try AuditFixture()
        let released = Mutex(0)
        let (database, mend) = (audit.database, mendIt)
        let log = try audit.open {
            $0.releaseReserve = {
                let isFirst = released.withLock { count in
                    count += 1
                    return count == 1
                }
                if isFirst { _ = try? database.writeSync { try $0.execute(mend, []) } }
                return isFirst
            }
        }
        try audit.change(breakIt)
        try await log.append(.sample(1))
        #expect(released.withLock { $0 } == 1)
        log.close()
        #expect(try audit.rows().map(\.seq) == [1])
    }

    @Test("a database that is deleted while the log is open takes no more entries")
    func deleted() async throws {
        let audit = try AuditFixture()
        let log = try audit.open()
        try await log.append(.sample(1))
        unlink(audit.database.path)
        await #expect(throws: AuditFault.self) { try await log.append(.sample(2)) }
        #expect(!log.isHealthy)
        log.close()
    }

    @Test("a chain changed behind the log's back after a failure is not gone on with")
    func changedBehind() async throws {
        let audit = try AuditFixture()
        let log = try audit.open()
        for number in 0..<3 { try await log.append(.sample(number)) }
        try audit.change(breakIt)
        await #expect(throws: AuditFault.self) { try await log.append(.sample(4)) }
        try audit.change("UPDATE audit_entries SET hash = randomblob(32) WHERE seq = 3")
        try audit.change(mendIt)
        await #expect(throws: AuditFault.self) { try await log.append(.sample(5)) }
        log.close()
        #expect(try audit.rows().count == 3)
    }
}

@Suite("Full disk")
struct FullDiskTests {
    /// A file system of two MiB; needs the right to mount.
    final class SmallDisk {
        let path: String

        init?() {
            var template = Array("/tmp/keyturn-audit-disk-XXXXXX".utf8CString)
            guard let made = mkdtemp(&template) else { return nil }
            path = String(cString: made)
            guard mount("tmpfs", path, "tmpfs", 0, "size=2m") == 0 else {
                rmdir(path)
                return nil
            }
        }

        deinit {
            umount2(path, Int32(MNT_DETACH))
            rmdir(path)
        }
    }

    static let canMount = SmallDisk() != nil

    @Test(
        "on a full disk appends fail, what was acknowledged stays whole, and room lets them go on",
        .enabled(if: canMount, "mounting a tmpfs needs privileges"))
    func full() async throws {
        let disk = try #require(SmallDisk())
        let database = try Database.open(at: disk.path + "/audit.db")
        try database.migrate(Migration.audit)
        let log = try AuditLog.open(database, options: AuditOptions(), logger: .silent)
        let filler = disk.path + "/filler"
        let file = open(filler, O_WRONLY | O_CREAT, 0o600)
        let block = [UInt8](repeating: 1, count: 4096)
        while write(file, block, block.count) > 0 {}
        close(file)
        var acknowledged = 0
        var failed = 0
        for number in 0..<5000 where failed < 3 {
            do throws(AuditFault) {
                try await log.append(.sample(number))
                acknowledged += 1
            } catch {
                failed += 1
            }
        }
        #expect(failed == 3)
        #expect(!log.isHealthy)
        unlink(filler)
        try await log.append(.sample(9999))
        #expect(log.isHealthy)
        log.close()
        let found = try AuditVerifier().verify(try database.makeConfinedConnection(writable: false))
        #expect(found.fault == nil)
        // All that were acknowledged, the recovery, and the last one; never one that had failed.
        #expect(found.entries >= Int64(acknowledged + 2))
        database.close()
    }
}
