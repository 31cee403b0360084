import Domain
import TestSupport
import Testing

@Suite("Target identities")
struct TargetIdentityTests {
    private static let systems: [TargetIdentity.System] = [
        .sshHostKey("SHA256:abc+/="), .sshHostKey(""), .database(kind: "postgresql", identifier: "7"),
        .database(kind: "redis", identifier: "10.0.0.1:6379"), .database(kind: "", identifier: ""),
    ]

    @Test("a system comes back from its one-line form", arguments: systems)
    func text(system: TargetIdentity.System) {
        #expect(TargetIdentity.System(text: system.text) == system)
    }

    @Test("what is no one-line form is no system", arguments: ["", "ssh", "database:", "database:x", "Database:x:y", "x:y:z"])
    func noText(text: String) {
        #expect(TargetIdentity.System(text: text) == nil)
    }

    @Test("a user moved to another system is that user there", arguments: systems)
    func moved(system: TargetIdentity.System) {
        for user in ["app", "app@%,localhost", ""] {
            let old = TargetIdentity(system: .sshHostKey("SHA256:old"), user: user)
            let new = TargetIdentity(system: system, user: user)
            #expect(system.moved(userOf: old.canonical.bytes) == new.canonical.bytes)
            #expect(new.canonical.bytes.suffix(user.utf8.count + 4) == TargetIdentity.user(of: new.canonical.bytes)?.suffix(1000))
        }
        for bytes in [[], [1], [0, 0, 0, 9, 1], [0xFF, 0xFF, 0xFF, 0xFF]] as [[UInt8]] {
            #expect(system.moved(userOf: bytes) == nil && TargetIdentity.user(of: bytes) == nil)
        }
    }

    @Test("whatever bytes stand for a user or a system, nothing traps")
    func fuzz() {
        let samples = Self.systems.flatMap { [TargetIdentity(system: $0, user: "app").canonical.bytes, Array($0.text.utf8)] }
        var fuzzer = Fuzzer(seed: 11, bytes: samples)
        for _ in 0..<Fuzzer.rounds(2000) {
            let bytes = fuzzer.next()
            _ = TargetIdentity.user(of: bytes)
            _ = TargetIdentity.System(text: String(decoding: bytes, as: UTF8.self))
        }
    }
}
