import TestSupport
import Testing

@testable import Cryptography

@Suite("SSH key fuzzing")
struct SSHKeyFuzzTests {
    @Test("no bytes crash the reader of private keys, and whatever it accepts it writes so that it is read again")
    func privateKeys() throws {
        let samples = try [SSHKeyKind.ed25519, .ecdsaP256].map { try SSHKeyPair.generate($0).openSSH(comment: "sample").copy() }
        let bodies = samples.map { OpenSSHFileText($0).bytes }
        var fuzzer = Fuzzer(
            seed: 71, samples: bodies.map { $0.map { Character(UnicodeScalar($0)) }.reduce(into: "") { $0.append($1) } })
        for round in 0..<Fuzzer.rounds(2000) {
            // The fuzzer's text stands for bytes, one scalar each.
            let scalars = String(decoding: fuzzer.next(), as: UTF8.self).unicodeScalars
            let body = scalars.map { UInt8(truncatingIfNeeded: $0.value) }
            try tryOut(round.isMultiple(of: 4) ? body : OpenSSHFileText(body: body).text)
        }
    }

    @Test("no bytes crash the reader of a key behind a passphrase")
    func protectedKeys() throws {
        let sample = OpenSSHFileText(try SSHKeyPairTests.made(["-t", "ed25519", "-a", "1"], passphrase: "secret").file).bytes
        var random = SeededGenerator(seed: 72)
        for _ in 0..<Fuzzer.rounds(40) {
            var body = sample
            // Not the rounds, where a changed bit costs the time that it asks for.
            for _ in 0..<2 {
                body[Int.random(in: 90..<body.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            try tryOut(OpenSSHFileText(body: body).text, passphrase: Array("secret".utf8))
        }
    }

    private func tryOut(_ text: [UInt8], passphrase: [UInt8]? = nil) throws {
        let pair: SSHKeyPair
        do throws(SSHKeyFault) {
            if let passphrase {
                pair = try SSHKeyPair.read(Secret(text), passphrase: Secret(passphrase))
            } else {
                pair = try SSHKeyPair.read(Secret(text))
            }
        } catch {
            return
        }
        #expect(try SSHKeyPair.read(pair.openSSH()).publicKey == pair.publicKey)
    }

    @Test("base64 that is read is the only text for its bytes")
    func base64() {
        var random = SeededGenerator(seed: 73)
        for _ in 0..<Fuzzer.rounds(2000) {
            let bytes = (0..<Int.random(in: 0..<40, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            var text = Array(Base64Text.encode(bytes).utf8)
            #expect(Base64Text.decode(text) == bytes)
            guard !text.isEmpty else { continue }
            text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(in: 0x20...0x7E, using: &random)
            if let other = Base64Text.decode(text) { #expect(Array(Base64Text.encode(other).utf8) == text) }
        }
        #expect(Base64Text.decode(Array("QQ=\n=\r\n".utf8)) == [65])
        for bad in ["Q", "QQ", "QQ=", "QR==", "QQ==QQ==", "====", "Q Q=", "QUI=="] {
            #expect(Base64Text.decode(Array(bad.utf8)) == nil, "\(bad)")
        }
    }
}
