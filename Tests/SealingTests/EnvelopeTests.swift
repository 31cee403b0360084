import Cryptography
import Domain
import Sealing
import Storage
import TestSupport
import Testing

@Suite("Envelope")
struct EnvelopeTests {
    static let account = AccountID(high: 1, low: 1)
    static let home = Place.accountSecret(account, version: 3, in: .default)

    /// Everywhere that a ciphertext might be carried to.
    static let elsewhere: [(String, Place)] = [
        ("another version", .accountSecret(account, version: 4, in: .default)),
        ("another account", .accountSecret(AccountID(high: 1, low: 2), version: 3, in: .default)),
        ("another organization", .accountSecret(account, version: 3, in: FoundVault.other)),
        ("the system organization", .accountSecret(account, version: 3, in: .system)),
        ("the fingerprint of the same version", .accountFingerprint(account, version: 3, in: .default)),
        ("a credential of the same id", .credentialSecret(account.retyped(), in: .default)),
        ("a setting", Place(.setting, organization: .default, record: account.bytes, version: 3)),
        ("a longer record id", Place(.accountSecret, organization: .default, record: account.bytes + [0], version: 3)),
        ("an organization without keys", .accountSecret(account, version: 3, in: OrganizationID(high: 9, low: 9))),
    ]

    @Test("what was sealed opens at its place, also when it is empty or long", arguments: [0, 1, 12, 40_960])
    func roundTrip(count: Int) throws {
        let vault = try FoundVault()
        let value = String(repeating: "é", count: count)
        #expect(try vault.open(vault.seal(value, at: Self.home), at: Self.home) == value)
    }

    @Test("equal secrets do not look equal")
    func randomized() throws {
        let vault = try FoundVault()
        #expect(try vault.seal("same", at: Self.home) != vault.seal("same", at: Self.home))
    }

    @Test("a ciphertext does not open anywhere else", arguments: elsewhere.indices)
    func moved(index: Int) throws {
        let vault = try FoundVault()
        let sealed = try vault.seal("secret", at: Self.home)
        let (name, place) = Self.elsewhere[index]
        #expect(throws: SealingFault.self, "\(name)") { try vault.open(sealed, at: place) }
    }

    @Test("each flipped bit, each cut and each addition is noticed")
    func changed() throws {
        let vault = try FoundVault()
        let sealed = try vault.seal("secret", at: Self.home).bytes
        for index in sealed.indices {
            for bit in 0..<8 as Range<UInt8> {
                var copy = sealed
                copy[index] ^= 1 << bit
                #expect(throws: SealingFault.self, "byte \(index)") { try vault.open(Sealed(bytes: copy), at: Self.home) }
            }
            #expect(throws: SealingFault.self) { try vault.open(Sealed(bytes: Array(sealed[..<index])), at: Self.home) }
        }
        #expect(throws: SealingFault.self) { try vault.open(Sealed(bytes: sealed + [0]), at: Self.home) }
    }

    @Test("the number of a key that exists does not open what another one sealed")
    func otherKeyNumber() async throws {
        let vault = try FoundVault()
        let sealed = try vault.seal("secret", at: Self.home)
        try await vault.addDataKey(2, of: .default)
        #expect(try vault.open(sealed, at: Self.home) == "secret")
        var renamed = sealed.bytes
        renamed[4] = 2
        #expect(throws: SealingFault.self) { try vault.open(Sealed(bytes: renamed), at: Self.home) }
        let newer = try vault.seal("newer", at: Self.home)
        #expect(newer.bytes[4] == 2)
        #expect(try vault.open(newer, at: Self.home) == "newer")
    }

    @Test("the keys of another vault do not open it")
    func otherVault() throws {
        let (mine, theirs) = (try FoundVault(), try FoundVault())
        let sealed = try mine.seal("secret", at: Self.home)
        #expect(throws: SealingFault.self) { try theirs.open(sealed, at: Self.home) }
    }

    @Test("random bytes never open and never end the program")
    func fuzz() throws {
        let vault = try FoundVault()
        let good = try vault.seal("secret", at: Self.home).bytes
        let keys = try vault.keyring.keys()
        let workspace = try SealingWorkspace()
        var random = SeededGenerator(seed: 4)
        for _ in 0..<Fuzzer.rounds(2_000) {
            var bytes = good
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<max(1, bytes.count), using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.insert(.random(in: 0...255, using: &random), at: min(place, bytes.count))
                case 1 where !bytes.isEmpty: bytes.remove(at: place)
                default: bytes = Array(bytes.prefix(place)) + [.random(in: 0...255, using: &random)]
                }
            }
            guard bytes != good else { continue }
            #expect(throws: SealingFault.self) { _ = try keys.open(Sealed(bytes: bytes), at: Self.home, with: workspace) }
        }
    }

    @Test("fingerprints are equal for equal secrets of one organization and for nothing else")
    func fingerprints() throws {
        let vault = try FoundVault()
        let keys = try vault.keyring.keys()
        func print(_ text: String, _ organization: OrganizationID) throws -> [UInt8] {
            try keys.fingerprint(of: secret(text), in: organization).withBytes { Array($0) }
        }
        #expect(try print("a", .default) == print("a", .default))
        #expect(try print("a", .default) != print("b", .default))
        #expect(try print("a", .default) != print("a", FoundVault.other))
    }
}
