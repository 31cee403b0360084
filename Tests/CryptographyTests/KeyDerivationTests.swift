import Testing

@testable import Cryptography

@Suite("HKDF")
struct HKDFTests {
    /// RFC 5869, appendix A, the cases with SHA-256.
    static let published: [(input: [UInt8], salt: [UInt8], info: [UInt8], output: String)] = [
        (
            [UInt8](repeating: 0x0B, count: 22), Array(0x00...0x0C), Array(0xF0...0xF9),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        ),
        (
            Array(0x00...0x4F), Array(0x60...0xAF), Array(0xB0...0xFF),
            """
            b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
            da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87
            """
        ),
        (
            [UInt8](repeating: 0x0B, count: 22), [], [],
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        ),
    ]

    @Test("the keys of RFC 5869 come out", arguments: published)
    func matchesRFC5869(input: [UInt8], salt: [UInt8], info: [UInt8], output: String) throws {
        let expected = hex(output)
        let derived = try input.withUnsafeBytes { try HKDF.bytes(from: $0, salt: salt, info: info, count: expected.count).copy() }
        #expect(derived == expected)
    }

    @Test("a purpose gives its own key, the same each time")
    func separatesPurposes() throws {
        let key = try SymmetricKey.random()
        func bytes(_ info: String) throws -> [UInt8] { try HKDF.derive(from: key, info: info).withBytes { Array($0) } }
        #expect(try bytes("a") == bytes("a"))
        #expect(try bytes("a") != bytes("b"))
    }

    @Test("an output length out of bounds is refused", arguments: [-1, 0, 8161])
    func refusesLength(_ count: Int) throws {
        #expect(throws: CryptographyFault.self) {
            try [UInt8(1)].withUnsafeBytes { try HKDF.bytes(from: $0, salt: [], info: [], count: count).count }
        }
    }
}

@Suite("scrypt")
struct ScryptTests {
    /// RFC 7914, section 12, but for the case that takes a gigabyte.
    static let published: [(password: String, salt: String, parameters: Scrypt, output: String)] = [
        (
            "", "", Scrypt(cost: 16, blockSize: 1, parallelism: 1),
            """
            77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442\
            fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906
            """
        ),
        (
            "password", "NaCl", Scrypt(cost: 1024, blockSize: 8, parallelism: 16),
            """
            fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162\
            2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640
            """
        ),
        (
            "pleaseletmein", "SodiumChloride", Scrypt(cost: 16384, blockSize: 8, parallelism: 1),
            """
            7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2\
            d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887
            """
        ),
    ]

    @Test("the keys of RFC 7914 come out", arguments: published)
    func matchesRFC7914(password: String, salt: String, parameters: Scrypt, output: String) throws {
        let derived = try Array(password.utf8).withUnsafeBytes {
            try parameters.derive(from: $0, salt: Array(salt.utf8), count: 64).copy()
        }
        #expect(derived == hex(output))
    }

    @Test(
        "parameters that are absurd or ask for too much memory are refused",
        arguments: [
            Scrypt(cost: 0, blockSize: 8, parallelism: 1), Scrypt(cost: 1000, blockSize: 8, parallelism: 1),
            Scrypt(cost: 1 << 40, blockSize: 8, parallelism: 1), Scrypt(cost: .max, blockSize: .max, parallelism: 1),
            Scrypt(cost: 1024, blockSize: 8, parallelism: 0), Scrypt(cost: 1024, blockSize: 8, parallelism: 1 << 40),
        ])
    func refusesParameters(_ parameters: Scrypt) throws {
        #expect(throws: CryptographyFault.self) {
            try Array("x".utf8).withUnsafeBytes { try parameters.derive(from: $0, salt: [1]).count }
        }
    }
}
