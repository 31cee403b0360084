import Testing

@testable import Cryptography

@Suite("AES-256-GCM")
struct AES256GCMTests {
    /// A test case of "The Galois/Counter Mode of Operation" (McGrew and Viega), which NIST took over.
    struct Vector: Sendable, CustomTestStringConvertible {
        let number: Int
        let key: String
        let nonce: String
        let plaintext: String
        let associatedData: String
        let ciphertext: String
        let tag: String
        var testDescription: String { "case \(number)" }
    }

    static let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
    static let plaintext =
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    static let ciphertext =
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

    static let vectors = [
        Vector(
            number: 13, key: String(repeating: "00", count: 32), nonce: String(repeating: "00", count: 12), plaintext: "",
            associatedData: "", ciphertext: "", tag: "530f8afbc74536b9a963b4f1c4cb738b"),
        Vector(
            number: 14, key: String(repeating: "00", count: 32), nonce: String(repeating: "00", count: 12),
            plaintext: String(repeating: "00", count: 16), associatedData: "", ciphertext: "cea7403d4d606b6e074ec5d3baf39d18",
            tag: "d0d1c8a799996bf0265b98b5d48ab919"),
        Vector(
            number: 15, key: key, nonce: "cafebabefacedbaddecaf888", plaintext: plaintext + "1aafd255", associatedData: "",
            ciphertext: ciphertext + "898015ad", tag: "b094dac5d93471bdec1a502270e3cc6c"),
        Vector(
            number: 16, key: key, nonce: "cafebabefacedbaddecaf888", plaintext: plaintext,
            associatedData: "feedfacedeadbeeffeedfacedeadbeefabaddad2", ciphertext: ciphertext,
            tag: "76fc6ece0f4e1768cddf8853bb2d551b"),
    ]

    @Test("sealing gives the published ciphertext and tag", arguments: vectors)
    func sealsAsPublished(_ vector: Vector) throws {
        let key = try SymmetricKey(Secret(hex(vector.key)))
        let sealed = try hex(vector.plaintext).withUnsafeBytes {
            try AES256GCM().seal($0, key: key, associatedData: hex(vector.associatedData), nonce: hex(vector.nonce))
        }
        #expect(sealed == hex(vector.nonce + vector.ciphertext + vector.tag))
    }

    @Test("opening gives the published plaintext back", arguments: vectors)
    func opensAsPublished(_ vector: Vector) throws {
        let key = try SymmetricKey(Secret(hex(vector.key)))
        let opened = try hex(vector.nonce + vector.ciphertext + vector.tag).withUnsafeBytes {
            try AES256GCM().open($0, key: key, associatedData: hex(vector.associatedData)).copy()
        }
        #expect(opened == hex(vector.plaintext))
    }

    @Test("a message with any one byte flipped does not open, and the context still serves the next message")
    func refusesEveryFlip() throws {
        let cipher = try AES256GCM()
        let key = try SymmetricKey.random()
        let plaintext = Array("correct horse battery staple".utf8)
        let associatedData = Array("account 7".utf8)
        let sealed = try plaintext.withUnsafeBytes { try cipher.seal($0, key: key, associatedData: associatedData) }
        for index in sealed.indices {
            for mask: UInt8 in [0x01, 0x80, 0xFF] {
                var changed = sealed
                changed[index] ^= mask
                #expect(throws: CryptographyFault.notAuthentic, "byte \(index)") {
                    try changed.withUnsafeBytes { try cipher.open($0, key: key, associatedData: associatedData).count }
                }
            }
        }
        #expect(try sealed.withUnsafeBytes { try cipher.open($0, key: key, associatedData: associatedData).copy() } == plaintext)
    }

    @Test("other associated data, another key and a cut message do not open")
    func refusesOtherContext() throws {
        let cipher = try AES256GCM()
        let key = try SymmetricKey.random()
        let sealed = try [UInt8](repeating: 7, count: 33).withUnsafeBytes {
            try cipher.seal($0, key: key, associatedData: [1, 2, 3])
        }
        for wrong: [UInt8] in [[], [1, 2], [1, 2, 3, 4], [1, 2, 2]] {
            #expect(throws: CryptographyFault.notAuthentic) {
                try sealed.withUnsafeBytes { try cipher.open($0, key: key, associatedData: wrong).count }
            }
        }
        let other = try SymmetricKey.random()
        #expect(throws: CryptographyFault.notAuthentic) {
            try sealed.withUnsafeBytes { try cipher.open($0, key: other, associatedData: [1, 2, 3]).count }
        }
        for count in 0..<sealed.count {
            #expect(throws: CryptographyFault.notAuthentic, "cut to \(count)") {
                try sealed.prefix(count).withUnsafeBytes { try cipher.open($0, key: key, associatedData: [1, 2, 3]).count }
            }
        }
    }

    @Test(
        "a message of any size comes back, and the same message never seals twice alike",
        arguments: [0, 1, 15, 16, 17, 4096, 100_001])
    func roundTrip(size: Int) throws {
        let cipher = try AES256GCM()
        let key = try SymmetricKey.random()
        let plaintext = try SecureRandom.bytes(count: size)
        let first = try plaintext.withUnsafeBytes { try cipher.seal($0, key: key, associatedData: []) }
        let second = try plaintext.withUnsafeBytes { try cipher.seal($0, key: key, associatedData: []) }
        #expect(first != second)
        #expect(first.count == size + AES256GCM.overhead)
        #expect(try first.withUnsafeBytes { try cipher.open($0, key: key, associatedData: []).copy() } == plaintext)
    }

    @Test("a nonce of another length is refused")
    func refusesNonce() throws {
        let key = try SymmetricKey.random()
        #expect(throws: CryptographyFault.self) {
            try [UInt8]().withUnsafeBytes { try AES256GCM().seal($0, key: key, associatedData: [], nonce: [1, 2, 3]) }
        }
    }
}
