import Testing

@testable import Cryptography

@Suite("Ed25519 keys from passwords")
struct Ed25519PasswordTests {
    /// With 32 bytes a password is a seed, and everything must agree with RFC 8032.
    @Test("a password of 32 bytes makes the key that OpenSSL makes of the seed, and its signatures are valid", arguments: 0..<8)
    func seeds(_ round: UInt8) throws {
        var bytes = (0..<32).map { UInt8($0) &* 7 &+ round }
        let seed = bytes
        let theirs = try seed.withUnsafeBytes { try Ed25519.SigningKey(seed: Secret(copying: $0)) }
        let ours = try Ed25519Password(Secret(moving: &bytes))
        #expect(ours.publicKey == theirs.publicKey.bytes)
        let message = Array("message \(round)".utf8)
        #expect(try ours.signature(for: message) == theirs.signature(for: message))
    }

    @Test(
        "a password of any length makes a key whose signatures are valid",
        arguments: ["", "a", "secret", "a password longer than the thirty-two bytes of a seed"])
    func passwords(_ password: String) throws {
        var bytes = Array(password.utf8)
        let key = try Ed25519Password(Secret(moving: &bytes))
        let signature = try key.signature(for: [1, 2, 3])
        let publicKey = Ed25519.PublicKey(bytes: key.publicKey)
        #expect(publicKey.isValid(signature: signature, for: [1, 2, 3]))
        #expect(!publicKey.isValid(signature: signature, for: [1, 2, 4]))
    }

    @Test("PBKDF2 gives the known answers (RFC 7914, 11)")
    func pbkdf2() throws {
        var password = Array("passwd".utf8)
        let key = try PBKDF2.sha256(Secret(moving: &password), salt: Array("salt".utf8), iterations: 1, count: 64)
        let expected =
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
        let text = key.withBytes { bytes in
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        #expect(text == expected)
    }
}
