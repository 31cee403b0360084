import Foundation
import Testing

@testable import Cryptography

@Suite("HMAC-SHA-256")
struct HMACSHA256Tests {
    /// RFC 4231, section 4.
    static let published: [(key: [UInt8], message: [UInt8], code: String)] = [
        (
            [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            Array(1...25), [UInt8](repeating: 0xCD, count: 50),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131),
            Array(
                """
                This is a test using a larger than block-size key and a larger than block-size data. \
                The key needs to be hashed before being used by the HMAC algorithm.
                """.utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    @Test("the codes of RFC 4231 come out", arguments: published)
    func matchesRFC4231(key: [UInt8], message: [UInt8], code: String) throws {
        #expect(try HMACSHA256.authenticate(message, key: Secret(key)) == hex(code))
    }

    @Test("one context serves keys and messages in turn")
    func reusesContext() throws {
        let hmac = try HMACSHA256()
        for _ in 0..<2 {
            for vector in Self.published {
                var code = [UInt8](repeating: 0, count: HMACSHA256.byteCount)
                try vector.message.withUnsafeBytes { message in
                    try vector.key.withUnsafeBytes { key in
                        try code.withUnsafeMutableBytes { try hmac.authenticate(message, key: key, into: $0) }
                    }
                }
                #expect(code == hex(vector.code))
            }
        }
    }

    @Test("an empty key and a short output buffer are refused, and an empty message is not")
    func edges() throws {
        #expect(throws: CryptographyFault.self) { try HMACSHA256.authenticate([1], key: Secret([])) }
        var short = [UInt8](repeating: 0, count: 31)
        #expect(throws: CryptographyFault.self) {
            try [UInt8(1)].withUnsafeBytes { one in
                try short.withUnsafeMutableBytes { try HMACSHA256().authenticate(one, key: one, into: $0) }
            }
        }
        let empty = try HMACSHA256.authenticate([], key: Secret([1]))
        let key = try HMACSHA256.authenticate([0], key: Secret([1]))
        #expect(empty.count == 32 && empty != key)
    }

    /// A published request of the signature scheme that applications use: its signing string and its signature in Base64.
    static let signatures: [(lines: [String], signature: String)] = {
        let path = "get /api/v1/accounts/"
        let accept = "accept: application/json"
        let date = "date: Fri, 20 Nov 2026 21:24:38 GMT"
        let organization = "x-jms-org: 00000000-0000-0000-0000-000000000002"
        let current = "(request-target): \(path)integration-applications/account-secret/?"
        let older = "(request-target): \(path)service-integrations/account-secret/?"
        return [
            (
                [current + "asset=ubuntu_docker&account=root", accept, date, organization],
                "DZkRFOLCvMqECWO5BhT0AVTFK1i6n85yA1Bioi7X5To="
            ),
            (
                [current + "account=root&asset=ubuntu_docker", accept, date, organization],
                "G/0ktRccpw8ust2dKduoBeleelg/doDqKBFr7Orzj8c="
            ),
            (
                [older + "asset=ubuntu_docker&account=root&method=get", accept, date],
                "FkgD1SojDs5X0bG+1VHAJm5n2Oz22P37wxh8OuJHGjI="
            ),
            ([older + "account=root&asset=ubuntu_docker", date], "9mTLz3QtAMgspnpUbMTEvwu2oCmrMKC+eh0+GxitJ7g="),
        ]
    }()

    @Test("the signatures of published application requests come out", arguments: signatures)
    func matchesRequestSignatures(lines: [String], signature: String) throws {
        let key = Secret(Array("6fuSO7P1m4cj8SSlgaYdblOjNAmnxDVD7tr8".utf8))
        let code = try HMACSHA256.authenticate(Array(lines.joined(separator: "\n").utf8), key: key)
        #expect(Data(code).base64EncodedString() == signature)
    }
}
