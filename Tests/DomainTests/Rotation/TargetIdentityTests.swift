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

    @Test(
        "rows of one name at several hosts have an account in common or not, whatever their identities are",
        arguments: [
            ("app@%", "app@%,localhost", true), ("app@localhost", "app@%,localhost", true), ("app@%", "app@localhost", false),
            ("app@%", "app@10.%", false), ("app@LocalHost", "app@localhost", true), ("app", "app@%", true),
            ("app", "app2@%", false),
            ("we@ird@%", "we@ird@10.%,%", true), ("we@%", "we@ird@%", false), ("App@%", "app@%", false),
        ])
    func namesakes(one: String, other: String, have: Bool) throws {
        let system = TargetIdentity.System.database(kind: "mariadb", identifier: "7")
        let (a, b) = (TargetIdentity(system: system, user: one), TargetIdentity(system: system, user: other))
        let (first, second) = (
            try #require(NamesakeIdentity(a.canonical.bytes)), try #require(NamesakeIdentity(b.canonical.bytes))
        )
        #expect(first.hasOneInCommon(with: second) == have && second.hasOneInCommon(with: first) == have)
        let elsewhere = TargetIdentity(system: .database(kind: "mariadb", identifier: "77"), user: other)
        #expect(try !first.hasOneInCommon(with: #require(NamesakeIdentity(elsewhere.canonical.bytes))))
    }

    @Test("users of other systems are told apart by their names alone, and damaged bytes are nobody's")
    func noNamesakes() {
        for system in Self.systems {
            #expect(NamesakeIdentity(TargetIdentity(system: system, user: "app@%").canonical.bytes) == nil)
        }
        let whole = TargetIdentity(system: .database(kind: "mariadb", identifier: "7"), user: "app@%").canonical.bytes
        for count in 0..<whole.count { #expect(NamesakeIdentity(Array(whole.prefix(count)))?.hosts.contains("%") != true) }
    }
}
