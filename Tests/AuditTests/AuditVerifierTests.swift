import Cryptography
import Domain
import Glibc
import Storage
import Testing

@testable import Audit

/// What somebody with the database in hand does to it, and what the verifier says to that.
struct Tampering: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let statements: [StaticString]
    let kind: AuditChainFault.Kind
    let seq: Int64

    init(_ name: String, _ statements: StaticString..., kind: AuditChainFault.Kind, seq: Int64) {
        testDescription = name
        self.statements = statements
        self.kind = kind
        self.seq = seq
    }

    /// Ten entries; the last checkpoint covers all of them.
    static let table: [Tampering] = [
        Tampering("a changed time", "UPDATE audit_entries SET time_ms = time_ms + 1 WHERE seq = 4", kind: .wrongColumn, seq: 4),
        Tampering("a changed action", "UPDATE audit_entries SET action = 'x.y' WHERE seq = 4", kind: .wrongColumn, seq: 4),
        Tampering("a changed outcome", "UPDATE audit_entries SET outcome = 'refused' WHERE seq = 4", kind: .wrongColumn, seq: 4),
        Tampering(
            "a changed actor kind", "UPDATE audit_entries SET actor_kind = 'user' WHERE seq = 4", kind: .wrongColumn, seq: 4),
        Tampering("a removed actor", "UPDATE audit_entries SET actor_id = NULL WHERE seq = 4", kind: .wrongColumn, seq: 4),
        Tampering(
            "another actor", "UPDATE audit_entries SET actor_id = randomblob(16) WHERE seq = 4", kind: .wrongColumn, seq: 4),
        Tampering(
            "another organization", "UPDATE audit_entries SET organization_id = randomblob(16) WHERE seq = 4", kind: .wrongColumn,
            seq: 4),
        Tampering(
            "a removed organization", "UPDATE audit_entries SET organization_id = NULL WHERE seq = 4", kind: .wrongColumn, seq: 4),
        Tampering(
            "a changed body",
            "UPDATE audit_entries SET body = CAST(replace(CAST(body AS TEXT), 'granted', 'refused') AS BLOB) WHERE seq = 4",
            kind: .wrongHash, seq: 4),
        Tampering("an emptied body", "UPDATE audit_entries SET body = x'' WHERE seq = 4", kind: .wrongHash, seq: 4),
        Tampering("a changed hash", "UPDATE audit_entries SET hash = randomblob(32) WHERE seq = 4", kind: .wrongHash, seq: 4),
        Tampering("a short hash", "UPDATE audit_entries SET hash = x'00' WHERE seq = 4", kind: .wrongHash, seq: 4),
        Tampering("a deleted first entry", "DELETE FROM audit_entries WHERE seq = 1", kind: .missingEntry, seq: 1),
        Tampering("a deleted middle entry", "DELETE FROM audit_entries WHERE seq = 4", kind: .missingEntry, seq: 4),
        Tampering("a deleted last entry", "DELETE FROM audit_entries WHERE seq = 10", kind: .truncated, seq: 10),
        Tampering("a cut end", "DELETE FROM audit_entries WHERE seq > 6", kind: .truncated, seq: 7),
        Tampering("all entries gone", "DELETE FROM audit_entries", kind: .truncated, seq: 1),
        Tampering(
            "two entries swapped", "UPDATE audit_entries SET seq = -4 WHERE seq = 4",
            "UPDATE audit_entries SET seq = 4 WHERE seq = 5",
            "UPDATE audit_entries SET seq = 5 WHERE seq = -4", kind: .wrongHash, seq: 4),
        Tampering(
            "a deleted entry with the gap closed", "DELETE FROM audit_entries WHERE seq = 4",
            "UPDATE audit_entries SET seq = -seq WHERE seq > 4", "UPDATE audit_entries SET seq = -seq - 1 WHERE seq < 0",
            kind: .truncated, seq: 10),
        Tampering(
            "an inserted entry", "UPDATE audit_entries SET seq = -seq WHERE seq > 4",
            "UPDATE audit_entries SET seq = -seq + 1 WHERE seq < 0",
            "INSERT INTO audit_entries SELECT 5, time_ms, action, outcome, actor_kind, actor_id, organization_id, body, hash FROM audit_entries WHERE seq = 4",
            kind: .wrongHash, seq: 5),
        Tampering(
            "an entry put before the first",
            "INSERT INTO audit_entries SELECT 0, time_ms, action, outcome, actor_kind, actor_id, organization_id, body, hash FROM audit_entries WHERE seq = 1",
            kind: .missingEntry, seq: 1),
        Tampering(
            "an entry put after the last",
            "INSERT INTO audit_entries SELECT 11, time_ms, action, outcome, actor_kind, actor_id, organization_id, body, hash FROM audit_entries WHERE seq = 10",
            kind: .wrongHash, seq: 11),
        Tampering("a removed segment", "DELETE FROM audit_segments WHERE number = 1", kind: .wrongSegment, seq: 1),
        Tampering(
            "a changed segment", "UPDATE audit_segments SET first_hash = randomblob(32)", kind: .wrongSegment, seq: 1),
        Tampering("a moved segment", "UPDATE audit_segments SET started_ms = 5", kind: .wrongSegment, seq: 1),
        Tampering(
            "an invented segment", "INSERT INTO audit_segments VALUES (2, 50, x'00', 0)", kind: .wrongSegment, seq: 50),
        Tampering(
            "a changed signature", "UPDATE audit_checkpoints SET signature = randomblob(64) WHERE seq = 10",
            kind: .wrongSignature,
            seq: 10),
        Tampering(
            "a changed head", "UPDATE audit_checkpoints SET head = randomblob(32) WHERE seq = 10", kind: .wrongSignature, seq: 10),
        Tampering("a changed count", "UPDATE audit_checkpoints SET count = 9 WHERE seq = 10", kind: .wrongSignature, seq: 10),
        Tampering(
            "a changed checkpoint time", "UPDATE audit_checkpoints SET time_ms = 9 WHERE seq = 10", kind: .wrongSignature, seq: 10
        ),
        Tampering("a moved checkpoint", "UPDATE audit_checkpoints SET seq = 9 WHERE seq = 10", kind: .wrongSignature, seq: 9),
        Tampering(
            "another key under the name", "UPDATE audit_signing_keys SET public_key = randomblob(32)", kind: .wrongSignature,
            seq: 10),
        Tampering("a removed key", "DELETE FROM audit_signing_keys", kind: .wrongSignature, seq: 10),
        Tampering("a removed checkpoint", "DELETE FROM audit_checkpoints", kind: .missingCheckpoint, seq: 10),
        Tampering(
            "an invented intent", "INSERT INTO audit_open_intents VALUES (3, randomblob(16))", kind: .wrongIntents, seq: 10),
    ]
}

@Suite("Audit verifier")
struct AuditVerifierTests {
    let audit: AuditFixture
    let key: Ed25519.SigningKey

    /// Ten entries, all covered by one checkpoint.
    init() throws {
        audit = try AuditFixture()
        key = try Ed25519.SigningKey.random()
        try audit.write(10)
        let log = try audit.open()
        log.setSigningKey(key)
        log.close()
    }

    func verify(_ change: (inout AuditVerifier) -> Void = { _ in }) throws -> AuditVerification {
        var verifier = AuditVerifier()
        verifier.pageEntries = 3
        verifier.checkpointFile = audit.checkpointPath
        change(&verifier)
        return try verifier.verify(try audit.database.makeConfinedConnection(writable: false))
    }

    @Test("an untouched chain is whole and signed to its end")
    func whole() throws {
        let found = try verify()
        #expect(found.fault == nil)
        #expect((found.entries, found.segments, found.checkpoints) == (10, 1, 2))
        #expect((found.signedSeq, found.unsignedTail) == (10, 0))
        #expect(found.head == ChainHead(seq: 10, hash: try audit.rows()[9].hash))
        #expect(found.keys == [try SigningKeyID(key.publicKey)])
    }

    @Test("an empty audit is whole")
    func empty() throws {
        let empty = try AuditFixture()
        let found = try AuditVerifier().verify(try empty.database.makeConfinedConnection(writable: false))
        #expect(found == AuditVerification())
    }

    @Test("every change to the database is named with the first entry at which it shows", arguments: Tampering.table)
    func tampering(_ tampering: Tampering) throws {
        for statement in tampering.statements { try audit.change(statement) }
        let fault = try #require(try verify().fault)
        #expect(fault.kind == tampering.kind)
        #expect(fault.seq == tampering.seq)
    }

    @Test("entries rewritten with all their hashes do not fit the checkpoint")
    func rewritten() throws {
        try audit.database.writeSync { connection in
            let hasher = try ChainHasher()
            var head = ChainHead.genesis
            for var row in try AuditEntries.page(after: 0, limit: 100, connection) {
                if row.seq == 7 {
                    row.body = Array(String(decoding: row.body, as: UTF8.self).replacing("root-6", with: "root-7").utf8)
                }
                head = try row.body.withUnsafeBytes { try hasher.link($0, to: head) }
                try connection.execute(
                    "UPDATE audit_entries SET body = ?, hash = ? WHERE seq = ?",
                    [.blob(row.body), .blob(head.hash), .integer(row.seq)])
            }
        }
        let found = try verify()
        #expect(found.fault?.kind == .wrongHead)
        #expect(found.fault?.seq == 10)
    }

    @Test("a chain signed anew by another key is found by the trusted keys")
    func otherKey() throws {
        let other = try Ed25519.SigningKey.random()
        try audit.change("DELETE FROM audit_checkpoints")
        unlink(audit.checkpointPath)
        let log = try audit.open()
        log.setSigningKey(other)
        log.close()
        #expect(try verify().fault == nil)
        let trusted: Set = [try SigningKeyID(key.publicKey)]
        #expect(try verify { $0.trustedKeys = trusted }.fault?.kind == .wrongSignature)
    }

    @Test("unsigned entries after the last checkpoint are counted")
    func unsignedTail() throws {
        try audit.write(4)
        let found = try verify()
        #expect(found.fault == nil)
        #expect((found.signedSeq, found.unsignedTail) == (10, 4))
    }

    @Test("an announced change without outcome is counted and is no fault")
    func openIntent() async throws {
        let log = try audit.open()
        _ = try await log.beginIntent(.sample(1))
        let settled = try await log.beginIntent(.sample(2))
        try await log.closeIntent(settled, .sample(2))
        log.close()
        let found = try verify()
        #expect(found.fault == nil)
        #expect(found.openIntents == 1)
        try audit.change("DELETE FROM audit_open_intents")
        #expect(try verify().fault?.kind == .wrongIntents)
    }

    @Test("a running server's audit can be verified")
    func running() async throws {
        let log = try audit.open()
        try await log.append(.sample(11))
        let found = try verify()
        #expect(found.fault == nil)
        #expect(found.entries == 11)
        log.close()
    }

    @Test("a database file opened read-only can be verified, and nothing in it changes")
    func readOnly() throws {
        audit.database.close()
        var options = DatabaseOptions()
        options.isReadOnly = true
        let database = try Database.open(at: audit.database.path, options: options)
        let found = try AuditVerifier().verify(try database.makeConfinedConnection(writable: false))
        #expect(found.fault == nil)
        #expect(found.entries == 10)
        database.close()
    }
}
