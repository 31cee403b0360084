import TestSupport
import Testing

@testable import Cryptography

/// Keys against the real ssh-keygen, both ways.
@Suite("SSH key pairs")
struct SSHKeyPairTests {
    static func keygen(_ arguments: String...) throws -> Finished {
        try ExternalProgram.run("ssh-keygen", arguments)
    }

    /// A key that ssh-keygen made: its file's bytes and its public line.
    static func made(_ arguments: [String], passphrase: String = "") throws -> (file: [UInt8], line: String) {
        let directory = try TemporaryDirectory()
        let path = directory.file("key")
        let done = try ExternalProgram.run(
            "ssh-keygen", ["-q", "-N", passphrase, "-C", "someone@somewhere", "-f", path] + arguments)
        try #require(done.status == 0, "\(done.standardError)")
        return (try directory.read("key"), String(decoding: try directory.read("key.pub"), as: UTF8.self))
    }

    @Test("ssh-keygen reads what is made here, and agrees on public line and fingerprint", arguments: SSHKeyKind.generated)
    func generates(kind: SSHKeyKind) throws {
        let pair = try SSHKeyPair.generate(kind)
        #expect(pair.kind == kind)
        let directory = try TemporaryDirectory()
        let path = try directory.write(pair.openSSH(comment: "keyturn test").copy(), to: "key")
        let line = try Self.keygen("-y", "-f", path)
        #expect(line.status == 0, "\(line.standardError)")
        #expect(line.text == pair.publicKey.line(comment: "keyturn test") + "\n")
        let listed = try Self.keygen("-l", "-f", path)
        #expect(listed.text.contains(try pair.publicKey.fingerprint()))
        // ssh-keygen puts a passphrase on it and takes it off again: it can use the private half.
        #expect(try Self.keygen("-q", "-p", "-P", "", "-N", "a passphrase", "-f", path).status == 0)
        #expect(try Self.keygen("-q", "-p", "-P", "a passphrase", "-N", "", "-f", path).status == 0)
        let again = try SSHKeyPair.read(Secret(try directory.read("key")))
        #expect(again.publicKey == pair.publicKey && again.comment == "keyturn test" && again.kind == kind)
    }

    static let kinds: [(arguments: [String], kind: SSHKeyKind)] = [
        (["-t", "ed25519"], .ed25519), (["-t", "ecdsa", "-b", "256"], .ecdsaP256), (["-t", "ecdsa", "-b", "384"], .ecdsaP384),
        (["-t", "ecdsa", "-b", "521"], .ecdsaP521), (["-t", "rsa", "-b", "3072"], .rsa3072), (["-t", "rsa", "-b", "2048"], .rsa),
    ]

    @Test("what ssh-keygen made is read, and written again for ssh-keygen to read", arguments: kinds)
    func reads(arguments: [String], kind: SSHKeyKind) throws {
        let (file, line) = try Self.made(arguments)
        let pair = try SSHKeyPair.read(Secret(file))
        #expect(pair.kind == kind && pair.comment == "someone@somewhere")
        #expect(pair.publicKey.line(comment: pair.comment) + "\n" == line)
        let directory = try TemporaryDirectory()
        let path = try directory.write(pair.openSSH().copy(), to: "key")
        #expect(try Self.keygen("-y", "-f", path).text == line)
    }

    @Test(
        "a protected key opens with its passphrase and with no other",
        arguments: [
            ["-t", "ed25519"], ["-t", "ed25519", "-a", "1"], ["-t", "ed25519", "-a", "3", "-Z", "aes256-cbc"],
            ["-t", "ecdsa", "-a", "2", "-Z", "aes128-ctr"], ["-t", "ed25519", "-a", "2", "-Z", "aes192-cbc"],
            ["-t", "rsa", "-b", "2048", "-a", "2"],
        ])
    func opensProtected(arguments: [String]) throws {
        let passphrase = "correct horse \u{E9} battery"
        let (file, line) = try Self.made(arguments, passphrase: passphrase)
        let pair = try SSHKeyPair.read(Secret(file), passphrase: Secret(Array(passphrase.utf8)))
        #expect(pair.publicKey.line(comment: "someone@somewhere") + "\n" == line)
        guard arguments.contains("-a") else { return }
        #expect(throws: SSHKeyFault.wrongPassphrase) {
            try SSHKeyPair.read(Secret(file), passphrase: Secret(Array("wrong".utf8)))
        }
        #expect(throws: SSHKeyFault.passphraseNeeded) { try SSHKeyPair.read(Secret(file)) }
        #expect(throws: SSHKeyFault.passphraseNeeded) { try SSHKeyPair.read(Secret(file), passphrase: Secret([])) }
    }

    @Test("a cipher that is not known and a derivation that would take minutes are refused, not tried")
    func refusesCosts() throws {
        let other = try Self.made(["-t", "ed25519", "-a", "1", "-Z", "chacha20-poly1305@openssh.com"], passphrase: "secret")
        #expect(throws: SSHKeyFault.unsupported) {
            try SSHKeyPair.read(Secret(other.file), passphrase: Secret(Array("secret".utf8)))
        }
        var costly = OpenSSHFileText(try Self.made(["-t", "ed25519", "-a", "1"], passphrase: "secret").file)
        costly.setRounds(.max)
        #expect(throws: SSHKeyFault.unsupported) {
            try SSHKeyPair.read(Secret(costly.text), passphrase: Secret(Array("secret".utf8)))
        }
    }

    static let forms: [(arguments: [String], kind: SSHKeyKind)] = [
        (["genpkey", "-algorithm", "ed25519"], .ed25519),
        (["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], .ecdsaP256),
        (["ecparam", "-genkey", "-noout", "-name", "prime256v1"], .ecdsaP256),
        (["ecparam", "-genkey", "-noout", "-name", "prime256v1", "-conv_form", "compressed"], .ecdsaP256),
        (["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], .rsa),
        (["genrsa", "-traditional", "3072"], .rsa3072),
    ]

    @Test("keys in PEM of openssl are read, and ssh-keygen agrees on the public half", arguments: forms)
    func readsPEM(arguments: [String], kind: SSHKeyKind) throws {
        let directory = try TemporaryDirectory()
        let made = try ExternalProgram.run("openssl", arguments)
        try #require(made.status == 0, "\(made.standardError)")
        let pair = try SSHKeyPair.read(Secret(made.output))
        #expect(pair.kind == kind)
        let path = try directory.write(pair.openSSH().copy(), to: "key")
        #expect(try Self.keygen("-y", "-f", path).text == pair.publicKey.line() + "\n")
        // libcrypto's own public half, in DER, ends with the numbers that the blob has.
        let plain = try ExternalProgram.run("openssl", ["pkey", "-pubout", "-outform", "DER"], input: made.output)
        #expect(
            plain.output.suffix(20) == pair.publicKey.blob.suffix(20) || kind == .rsa || kind == .rsa3072
                || arguments.contains("compressed"))

        let locked = try ExternalProgram.run(
            "openssl", ["pkcs8", "-topk8", "-passout", "pass:letmein"], input: made.output)
        #expect(try SSHKeyPair.read(Secret(locked.output), passphrase: Secret(Array("letmein".utf8))).publicKey == pair.publicKey)
        #expect(throws: SSHKeyFault.wrongPassphrase) {
            try SSHKeyPair.read(Secret(locked.output), passphrase: Secret(Array("other".utf8)))
        }
        #expect(throws: SSHKeyFault.passphraseNeeded) { try SSHKeyPair.read(Secret(locked.output)) }
    }

    @Test(
        "a key whose file asks for more rounds than a few seconds', or for another derivation, is not opened",
        arguments: [["-iter", "4000001"], ["-scrypt"]])
    func costly(how: [String]) throws {
        let made = try ExternalProgram.run("openssl", ["genpkey", "-algorithm", "ed25519"])
        let locked = try ExternalProgram.run(
            "openssl", ["pkcs8", "-topk8", "-passout", "pass:letmein"] + how, input: made.output)
        try #require(locked.status == 0, "\(locked.standardError)")
        #expect(throws: SSHKeyFault.unsupported) {
            try SSHKeyPair.read(Secret(locked.output), passphrase: Secret(Array("letmein".utf8)))
        }
        #expect(throws: SSHKeyFault.passphraseNeeded) { try SSHKeyPair.read(Secret(locked.output)) }
    }

    @Test("what is no private key of a kind that can be used is refused by name")
    func refuses() throws {
        func fault(_ arguments: [String]) throws -> SSHKeyFault? {
            let made = try ExternalProgram.run("openssl", arguments)
            try #require(made.status == 0, "\(made.standardError)")
            do {
                _ = try SSHKeyPair.read(Secret(made.output))
                return nil
            } catch {
                return error
            }
        }
        #expect(try fault(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]) == .tooShort)
        #expect(try fault(["genpkey", "-algorithm", "x25519"]) == .unsupported)
        #expect(try fault(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"]) == .unsupported)
        for text in [
            "", "ssh-ed25519 AAAA", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "-----BEGIN PUBLIC KEY-----",
        ] {
            #expect(throws: SSHKeyFault.notAPrivateKey) { try SSHKeyPair.read(Secret(Array(text.utf8))) }
        }
        #expect(throws: SSHKeyFault.notAPrivateKey) { try SSHKeyPair.read(Secret([UInt8](repeating: 45, count: 70_000))) }
    }

    @Test("a file whose halves do not belong together is damaged", arguments: ["ed25519", "ecdsa", "rsa"])
    func refusesMixed(type: String) throws {
        let one = try SSHKeyPair.read(Secret(try Self.made(["-t", type]).file))
        var text = OpenSSHFileText(try one.openSSH().copy())
        // A bit of the private numbers, which stand behind the public key's second mention.
        text.flip(fromEnd: type == "rsa" ? 300 : 60)
        #expect(throws: SSHKeyFault.self) { try SSHKeyPair.read(Secret(text.text)) }
    }

    @Test("a comment cannot begin a line of its own")
    func comments() throws {
        let pair = try SSHKeyPair.generate(.ed25519)
        #expect(!pair.publicKey.line(comment: "a\nssh-ed25519 AAAA evil\r\u{0}").contains { $0.isNewline || $0 == "\u{0}" })
    }
}

@Suite("bcrypt_pbkdf")
struct BcryptPBKDFTests {
    @Test("the constants that are computed are Blowfish's: pi begins and ends with the published words")
    func constants() throws {
        let words = try #require(PiDigits.words)
        #expect(words.prefix(6) == [0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344, 0xA409_3822, 0x299F_31D0])
        #expect(words[18] == 0xD131_0BA6 && words.last == 0x3AC3_72E6)
        #expect(words.count == 18 + 1024)
    }

    /// Eric Young's set of test vectors for Blowfish with keys of 8 bytes.
    @Test(
        "Blowfish itself gives the published blocks",
        arguments: [
            ("0000000000000000", "0000000000000000", "4EF997456198DD78"),
            ("FFFFFFFFFFFFFFFF", "FFFFFFFFFFFFFFFF", "51866FD5B85ECB8A"),
            ("3000000000000000", "1000000000000001", "7D856F9A613063F2"),
            ("0123456789ABCDEF", "1111111111111111", "61F9C3802281B096"),
            ("FEDCBA9876543210", "0123456789ABCDEF", "0ACEAB0FC6A0A28D"),
            ("7CA110454A1A6E57", "01A1D6D039776742", "59C68245EB05282B"),
        ])
    func blocks(key: String, plain: String, cipher: String) throws {
        func words(_ text: String) -> [UInt32] {
            let bytes = hex(text)
            return [0, 4].map { start in bytes[start..<(start + 4)].reduce(0) { $0 << 8 | UInt32($1) } }
        }
        var state = try Blowfish()
        hex(key).withUnsafeBytes { state.expand(key: $0) }
        var left = words(plain)[0]
        var right = words(plain)[1]
        state.encipher(&left, &right)
        #expect([left, right] == words(cipher))
    }

    @Test("parameters out of range are refused")
    func refuses() {
        let bytes: [UInt8] = [1, 2, 3]
        for (passphrase, salt, rounds, count) in [
            ([], bytes, 1, 32), (bytes, [], 1, 32), (bytes, bytes, 0, 32), (bytes, bytes, 100_000, 32), (bytes, bytes, 1, 0),
            (bytes, bytes, 1, 1000),
        ] as [([UInt8], [UInt8], UInt32, Int)] {
            #expect(throws: CryptographyFault.self) {
                try passphrase.withUnsafeBytes { passphrase in
                    try salt.withUnsafeBytes {
                        try BcryptPBKDF.derive(from: passphrase, salt: $0, rounds: rounds, count: count).count
                    }
                }
            }
        }
    }
}

/// A private key file that a test changes: decoded, altered, armoured again.
struct OpenSSHFileText {
    private var body: [UInt8]

    init(_ text: [UInt8]) {
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("-----") }
        body = Base64Text.decode(Array(lines.joined().utf8)) ?? []
    }

    init(body: [UInt8]) { self.body = body }

    var text: [UInt8] {
        let base64 = Base64Text.encode(body)
        return Array("-----BEGIN OPENSSH PRIVATE KEY-----\n\(base64)\n-----END OPENSSH PRIVATE KEY-----\n".utf8)
    }

    var bytes: [UInt8] { body }

    mutating func flip(fromEnd distance: Int) { body[body.count - distance] ^= 1 }

    /// The rounds stand behind the 16 bytes of salt: magic, cipher, derivation, options.
    mutating func setRounds(_ rounds: UInt32) {
        guard let place = (15..<(body.count - 28)).first(where: { Array(body[$0..<($0 + 8)]) == [0, 0, 0, 24, 0, 0, 0, 16] })
        else {
            return
        }
        for (index, shift) in [24, 16, 8, 0].enumerated() { body[place + 24 + index] = UInt8(rounds >> UInt32(shift) & 0xFF) }
    }
}
