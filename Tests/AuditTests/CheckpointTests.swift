import Cryptography
import Domain
import Glibc
import Storage
import Testing

@testable import Audit

@Suite("Checkpoints")
struct CheckpointTests {
    func lines(_ audit: AuditFixture) throws -> [CheckpointLine?] {
        try CheckpointFile(path: audit.checkpointPath, limit: .max).lines()
    }

    @Test("while there is no key nothing is signed; once there is one everything is, at once")
    func unseal() async throws {
        let audit = try AuditFixture()
        let key = try Ed25519.SigningKey.random()
        let log = try audit.open()
        for number in 0..<5 { try await log.append(.sample(number)) }
        #expect(log.status.signedSeq == 0)
        log.setSigningKey(key)
        #expect(try await eventually { log.status.signedSeq == 5 })
        log.clearSigningKey()
        try await log.append(.sample(6))
        log.close()
        #expect(try lines(audit).compactMap { $0?.checkpoint.head.seq } == [5])
    }

    @Test("an entry is signed soon although nothing follows it, by the delay that is set")
    func delay() async throws {
        #expect(AuditOptions().signingDelay < .seconds(1))
        let audit = try AuditFixture()
        let log = try audit.open { $0.signingDelay = .milliseconds(100) }
        log.setSigningKey(try Ed25519.SigningKey.random())
        try await log.append(.sample(1))
        #expect(try await eventually { log.status.signedSeq == 1 })
        log.close()
        let later = try audit.open { $0.signingDelay = .seconds(3600) }
        later.setSigningKey(try Ed25519.SigningKey.random())
        try await later.append(.sample(2))
        try await later.append(.sample(3))
        #expect(later.status.signedSeq < 3)
        later.close()
    }

    @Test("settling signs everything and writes counted refusals")
    func settle() async throws {
        let audit = try AuditFixture()
        let log = try audit.open {
            $0.signingDelay = .seconds(3600)
            $0.refusals.perPrefix = 0
        }
        log.setSigningKey(try Ed25519.SigningKey.random())
        try await log.append(.sample(1))
        #expect(log.refusals.admit(address: IPAddress(v4: 0xC000_0207), action: .fetch, reason: "unknown key") == .counted)
        try await log.settle()
        #expect(log.status.head.seq == 2)
        #expect(log.status.signedSeq == 2)
        let entry = try EntryReader.read(try audit.rows()[1].body)
        #expect((entry.address, entry.reason, entry.count) == ("192.0.2.0/24", "unknown key", 1))
        log.close()
    }

    @Test("a line of the checkpoint file reads back as what was signed, and no other text does")
    func line() throws {
        let key = try Ed25519.SigningKey.random()
        let head = ChainHead(seq: 9, hash: [UInt8](repeating: 7, count: 32))
        let checkpoint = try Checkpoint.sign(head, at: Timestamp(milliseconds: 5), key: key)
        let line = CheckpointLine(checkpoint: checkpoint, publicKey: key.publicKey)
        #expect(CheckpointLine.parse(line.text) == line)
        #expect(checkpoint.isSigned(by: key.publicKey))
        #expect(!checkpoint.isSigned(by: try Ed25519.SigningKey.random().publicKey))
        for end in 0..<line.text.count { #expect(CheckpointLine.parse(Array(line.text.prefix(end))) == nil) }
        for text in ["", "{}", "[]", "null", #"{"seq":1}"#] { #expect(CheckpointLine.parse(Array(text.utf8)) == nil) }
    }

    @Test("a torn last line is cut off before the next is appended")
    func torn() throws {
        let audit = try AuditFixture()
        let key = try Ed25519.SigningKey.random()
        try audit.write(1, key: key)
        let file = open(audit.checkpointPath, O_WRONLY | O_APPEND)
        _ = write(file, "{\"seq\":2,", 9)
        close(file)
        try audit.write(1, key: key)
        #expect(try lines(audit).map { $0?.checkpoint.head.seq } == [1, 2])
    }

    @Test("a full checkpoint file is put aside, and its last line still counts at start")
    func rotation() throws {
        let audit = try AuditFixture()
        let log = try audit.open { $0.checkpointFileBytes = 10 }
        log.setSigningKey(try Ed25519.SigningKey.random())
        try log.appendSync(.sample(1))
        log.close()
        // The second line makes the file longer than its limit.
        try audit.write(1)
        let again = try audit.open { $0.checkpointFileBytes = 10 }
        again.setSigningKey(try Ed25519.SigningKey.random())
        again.close()
        #expect(access(audit.checkpointPath, F_OK) != 0)
        #expect(try CheckpointFile(path: audit.checkpointPath, limit: 10).last()?.checkpoint.head.seq == 2)
    }

    @Test("a chain that ends before its last checkpoint is refused at start", arguments: [true, false])
    func truncation(inDatabaseToo: Bool) throws {
        let audit = try AuditFixture()
        try audit.write(5, key: try Ed25519.SigningKey.random())
        try audit.change("DELETE FROM audit_entries WHERE seq > 3")
        if !inDatabaseToo { try audit.change("DELETE FROM audit_checkpoints WHERE seq > 3") }
        #expect {
            _ = try audit.open()
        } throws: { error in
            if case AuditFault.chainBroken(seq: 4, _) = error { true } else { false }
        }
        let log = try audit.open { $0.refusesTruncation = false }
        log.close()
    }

    @Test("a new database beside an old checkpoint file is refused at start")
    func replaced() throws {
        let audit = try AuditFixture()
        try audit.write(5, key: try Ed25519.SigningKey.random())
        for table in ["DELETE FROM audit_entries", "DELETE FROM audit_checkpoints", "DELETE FROM audit_segments"]
            as [StaticString]
        {
            try audit.change(table)
        }
        #expect(throws: AuditFault.self) { _ = try audit.open() }
    }

    @Test(
        "an edited checkpoint file is found", arguments: [("\"seq\":5", "\"seq\":4"), ("\"count\":5", "\"count\":4"), ("{", "[")])
    func edited(_ from: String, _ to: String) throws {
        let audit = try AuditFixture()
        try audit.write(5)
        let log = try audit.open()
        log.setSigningKey(try Ed25519.SigningKey.random())
        log.close()
        let bytes = try #require(try lines(audit).first??.text)
        let edited = Array(String(decoding: bytes, as: UTF8.self).replacing(from, with: to).utf8) + [10]
        let file = open(audit.checkpointPath, O_WRONLY | O_TRUNC)
        _ = write(file, edited, edited.count)
        close(file)
        var verifier = AuditVerifier()
        verifier.checkpointFile = audit.checkpointPath
        let fault = try verifier.verify(try audit.database.makeConfinedConnection(writable: false)).fault
        #expect(fault?.kind == (to == "[" ? .wrongCheckpointFile : .wrongSignature))
    }
}
