import Testing

@testable import Cryptography

@Suite("HMAC key")
struct HMACKeyTests {
    private static func code(_ message: [UInt8], _ key: borrowing HMACKey) throws -> [UInt8] {
        var code = [UInt8](repeating: 0, count: HMACSHA256.byteCount)
        try message.withUnsafeBytes { message in
            try code.withUnsafeMutableBytes { try key.authenticate(message, into: $0) }
        }
        return code
    }

    @Test("the codes of RFC 4231 come out, again and again", arguments: HMACSHA256Tests.published)
    func matchesRFC4231(key: [UInt8], message: [UInt8], code: String) throws {
        let key = try HMACKey(Secret(key))
        for _ in 0..<3 { #expect(try Self.code(message, key) == hex(code)) }
    }

    @Test(
        "keys and messages of every length around a block give the codes of the library", arguments: [1, 31, 32, 63, 64, 65, 130])
    func lengths(_ count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: 7 &* $0 &+ count) }
        let key = try HMACKey(Secret(bytes))
        for length in 0...200 {
            let message = (0..<length).map { UInt8(truncatingIfNeeded: $0) }
            #expect(try Self.code(message, key) == HMACSHA256.authenticate(message, key: Secret(bytes)))
        }
    }

    @Test("an empty key and a short output buffer are refused")
    func edges() throws {
        #expect(throws: CryptographyFault.self) { _ = try HMACKey(Secret([])) }
        let key = try HMACKey.random()
        var short = [UInt8](repeating: 0, count: 31)
        #expect(throws: CryptographyFault.self) {
            try short.withUnsafeMutableBytes { try key.authenticate(UnsafeRawBufferPointer(start: nil, count: 0), into: $0) }
        }
    }
}
