import Access
import Cryptography
import Testing

/// The requests of the published samples and client packages, with the signatures that they send (key and date fixed).
@Suite("Signature vectors")
struct SignatureVectorTests {
    static let key = "6fuSO7P1m4cj8SSlgaYdblOjNAmnxDVD7tr8"
    static let integrations = "/api/v1/accounts/integration-applications/account-secret/"
    static let services = "/api/v1/accounts/service-integrations/account-secret/"
    static let headers = [
        "accept": "application/json", "date": "Fri, 20 Nov 2026 21:24:38 GMT",
        "x-jms-org": "00000000-0000-0000-0000-000000000002",
    ]

    @Test(
        "each sample's request verifies",
        arguments: [
            (
                "(request-target) accept date x-jms-org", integrations + "?asset=ubuntu_docker&account=root",
                "DZkRFOLCvMqECWO5BhT0AVTFK1i6n85yA1Bioi7X5To="
            ),
            (
                "(request-target) accept date x-jms-org", integrations + "?account=root&asset=ubuntu_docker",
                "G/0ktRccpw8ust2dKduoBeleelg/doDqKBFr7Orzj8c="
            ),
            (
                "(request-target) accept date", services + "?asset=ubuntu_docker&account=root&method=get",
                "FkgD1SojDs5X0bG+1VHAJm5n2Oz22P37wxh8OuJHGjI="
            ),
            (
                "(request-target) date", services + "?account=root&asset=ubuntu_docker",
                "9mTLz3QtAMgspnpUbMTEvwu2oCmrMKC+eh0+GxitJ7g="
            ),
        ])
    func verifies(names: String, target: String, signature: String) throws {
        let header =
            #"Signature keyId="72b0b0aa-ad82-4182-a631-ae4865e8ae0e",algorithm="hmac-sha256",headers="\#(names)",signature="\#(signature)""#
        #expect(try Self.verify(header, method: "GET", target: target))
        #expect(try !Self.verify(header, method: "POST", target: target))
        #expect(try !Self.verify(header, method: "GET", target: target + "&x=1"))
    }

    static func verify(_ header: String, method: String, target: String) throws -> Bool {
        try withBytes(header) { header in
            let parsed = try SignatureHeader(header)
            let text = try signingString(parsed.names, method: method, target: target, headers: headers)
            var key = Array(key.utf8)
            let code = try HMACSHA256.authenticate(text, key: Secret(moving: &key))
            return code.withUnsafeBytes { SignatureMAC($0)?.equals(parsed.mac) ?? false }
        }
    }
}

func withBytes<R>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    var text = text
    return try text.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
}

/// The signing string with headers from a dictionary whose texts stay where they are while it is built.
func signingString(
    _ names: SignedNames, method: String, target: String, headers: [String: String]
) throws -> [UInt8] {
    let values = headers.map { name, value in
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: value.utf8.count, alignment: 1)
        copy.copyBytes(from: value.utf8)
        return (name: Array(name.utf8), value: copy)
    }
    defer { for value in values { value.value.deallocate() } }
    var scratch: [UInt8] = []
    try withBytes(method) { method in
        try withBytes(target) { target in
            try SigningString.build(into: &scratch, method: method, target: target, names: names) { name in
                values.first { name.elementsEqual($0.name) }.map { UnsafeRawBufferPointer($0.value) }
            }
        }
    }
    return scratch
}
