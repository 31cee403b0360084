import Domain
import TestSupport
import Testing

@Suite("The stored form of an open change")
struct OpenChangeFuzzTests {
    private static let fields = [
        "kind", "change", "generated", "1", "checks", "0", "username", "root@x", "secret_type", "ssh_key", "key_strategy", "set",
        "worker",
        "00000000-0000-0001-0000-000000000002", "param.shell", "/bin/sh", "old", "1", "started_by", "admin", "candidate", "2",
        "candidates_used", "1", "acknowledged", "1", "stored", "0", "rejections", "2", "rounds", "3", "guessed", "2,1",
        "doubt.status",
        "uncertain", "doubt.reason", "cut", "doubt.words", "cut", "doubt.until", "1800000000000",
    ]

    @Test("whatever its fields are, they are read or refused: this happens before anybody knows that the row is ours")
    func fuzz() {
        #expect(OpenChange.read(Self.fields, notBefore: nil)?.memory.guessed == [2, 1])
        var random = SeededGenerator(seed: 39)
        var values = Fuzzer(
            seed: 40, samples: Self.fields + ["-9223372036854775808", "9223372036854775807", "1,,-1,99999999999999999999"])
        var read = 0
        for _ in 0..<Fuzzer.rounds(3_000) {
            var fields = Self.fields
            for _ in 0..<Int.random(in: 1...3, using: &random) where !fields.isEmpty {
                let place = Int.random(in: 0..<fields.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: fields.remove(at: place)
                case 1: fields.removeSubrange(place..<min(place + 2, fields.count))
                case 2: fields.swapAt(place, Int.random(in: 0..<fields.count, using: &random))
                default: fields[place] = String(decoding: values.next(), as: UTF8.self)
                }
            }
            if OpenChange.read(fields, notBefore: nil) != nil { read += 1 }
        }
        #expect(read > 100)
    }

    @Test("of bytes that are no identity nothing is said, and of an identity what it is")
    func fuzzIdentities() {
        let identity = TargetIdentity(system: .sshHostKey("SHA256:" + String(repeating: "a", count: 43)), user: "root")
        let other = TargetIdentity(system: .database(kind: "postgresql", identifier: "7"), user: "postgres")
        #expect(identity.isOnSystem(of: identity.canonical.bytes) && identity.isUser(of: identity.canonical.bytes))
        var fuzzer = Fuzzer(seed: 45, bytes: [identity.canonical.bytes, other.canonical.bytes])
        for _ in 0..<Fuzzer.rounds(3_000) {
            let bytes = fuzzer.next()
            if identity.isOnSystem(of: bytes), identity.isUser(of: bytes) { #expect(bytes == identity.canonical.bytes) }
        }
    }
}
