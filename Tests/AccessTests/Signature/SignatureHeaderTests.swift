import Access
import Domain
import TestSupport
import Testing

@Suite("SignatureHeader")
struct SignatureHeaderTests {
    static let id = "72b0b0aa-ad82-4182-a631-ae4865e8ae0e"
    static let code = "DZkRFOLCvMqECWO5BhT0AVTFK1i6n85yA1Bioi7X5To="
    static let whole = #"Signature keyId="\#(id)",algorithm="hmac-sha256",headers="(request-target) date",signature="\#(code)""#

    struct Parsed: Equatable {
        let id: CredentialID?
        let names: [String]
    }

    static func parse(_ text: String) throws(SignatureFault) -> Parsed {
        let outcome = withBytes(text) { bytes in
            Result { () throws(SignatureFault) in
                let header = try SignatureHeader(bytes)
                return Parsed(id: header.credential, names: header.names.map { String(decoding: $0, as: UTF8.self) })
            }
        }
        return try outcome.get()
    }

    @Test(
        "order, case, spaces and unknown parameters make no difference",
        arguments: [
            whole, "signature " + whole.dropFirst(10), "SIGNATURE  " + whole.dropFirst(10), "  " + whole + "  ",
            #"Signature signature="\#(code)",headers="(request-target) date",keyId="\#(id)",algorithm="HMAC-SHA256""#,
            #"Signature KEYID="\#(id)" , Algorithm = "hmac-sha256",\#t HEADERS="(request-target)  date ",SIGNATURE="\#(code)""#,
            #"Signature keyId="\#(id)",created=1402170695,x="a\"b,c",algorithm="hmac-sha256",headers="(request-target) date",signature="\#(code)""#,
        ])
    func accepted(text: String) throws {
        #expect(try Self.parse(text) == Parsed(id: CredentialID(Self.id), names: ["(request-target)", "date"]))
    }

    static func make(
        id: String = id, algorithm: String = "hmac-sha256", headers: String = "(request-target) date", code: String = code
    ) -> String {
        #"Signature keyId="\#(id)",algorithm="\#(algorithm)",headers="\#(headers)",signature="\#(code)""#
    }

    static let refused: [(String, SignatureFault)] = [
        ("", .notSignature), ("Signature", .notSignature), ("Basic abc", .notSignature),
        ("Signaturex keyId=\"a\"", .notSignature),
        ("Signature ", .malformed), ("Signature keyId", .malformed), ("Signature keyId=", .malformed),
        ("Signature keyId=\"a", .malformed), ("Signature keyId=\"a\\", .malformed), ("Signature ,", .malformed),
        (whole + ",", .malformed), (whole + ",,a=b", .malformed), (whole + " a=b", .malformed), (whole + ",=b", .malformed),
        (whole.replacing("\"hmac-sha256\"", with: "hmac-sha256"), .malformed), (make(id: #"a\"b"#), .malformed),
        (make(id: "a\u{1}"), .malformed), (make(id: ""), .malformed), (make(id: String(repeating: "a", count: 257)), .malformed),
        (whole + ",keyId=\"\(id)\"", .duplicateParameter), (whole + ",SIGNATURE=\"\(code)\"", .duplicateParameter),
        ("Signature keyId=\"a\"", .missingParameter), (whole.replacing("algorithm", with: "algo"), .missingParameter),
        (make(algorithm: "hmac-sha1"), .unsupportedAlgorithm), (make(algorithm: "rsa-sha256"), .unsupportedAlgorithm),
        (make(algorithm: "none"), .unsupportedAlgorithm), (make(algorithm: ""), .unsupportedAlgorithm),
        (whole.replacing("headers=\"(request-target) date\",", with: ""), .requiredHeaderNotSigned),
        (make(headers: ""), .requiredHeaderNotSigned), (make(headers: "date"), .requiredHeaderNotSigned),
        (make(headers: "(request-target)"), .requiredHeaderNotSigned),
        (make(headers: "(request-target)date"), .requiredHeaderNotSigned),
        (make(headers: "(request-target) date" + String(repeating: " a", count: 31)), .tooManyHeaders),
        (make(code: ""), .badSignature), (make(code: String(code.dropLast())), .badSignature),
        (make(code: "=" + code.dropFirst()), .badSignature),
        (make(code: code + "="), .badSignature), (make(code: code.replacing("TFK1", with: "TF-1")), .badSignature),
        (make(code: "DZkRFOLCvMqECWO5BhT0AVTFK1i6n85yA1Bioi7X5Tp="), .badSignature),
        (make(code: " " + code.dropFirst()), .badSignature),
        (String(repeating: "a", count: 5_000), .tooLong),
        (whole + (0..<16).map { ",a\($0)=b" }.joined(), .malformed),
    ]

    @Test("each malformed header is refused for its reason", arguments: refused)
    func refuses(text: String, fault: SignatureFault) {
        #expect(throws: fault) { try Self.parse(text) }
    }

    @Test("a byte that a quoted value must not have is found wherever it stands")
    func specialBytes() throws {
        for length in 1..<34 {
            for place in 0..<length {
                for byte in [0x00, 0x1F, 0x20, 0x22, 0x5C, 0x7E, 0x7F, 0x80, 0xFF] as [UInt8] {
                    var value = [UInt8](repeating: 0x61, count: length)
                    value[place] = byte
                    let head = Array("Signature keyId=\"".utf8) + value
                    let text = head + Array(Self.whole.dropFirst("Signature keyId=\"".count + Self.id.count).utf8)
                    let isPlain = ![0x00, 0x1F, 0x22, 0x5C, 0x7F].contains(byte)
                    let parsed = text.withUnsafeBytes { raw in (try? SignatureHeader(raw)).map { Array($0.keyID) } }
                    #expect(parsed == (isPlain ? value : nil), "byte \(byte) at \(place) of \(length)")
                }
            }
        }
    }

    @Test("a key id that is no id names no credential")
    func strangeKey() throws {
        #expect(try Self.parse(Self.make(id: "admin")).id == nil)
    }

    @Test("arbitrary headers never trap")
    func fuzz() {
        var fuzzer = Fuzzer(seed: 11, samples: [Self.whole, Self.make(headers: "(request-target) accept date x-jms-org")])
        var accepted = 0
        for _ in 0..<Fuzzer.rounds(20_000) {
            let bytes = fuzzer.next()
            bytes.withUnsafeBytes { raw in
                guard let header = try? SignatureHeader(raw) else { return }
                accepted += 1
                #expect(header.names.contains("date") && header.names.contains("(request-target)"))
            }
        }
        #expect(accepted > 100)
    }
}

@Suite("SigningString")
struct SigningStringTests {
    static func build(
        _ list: String, method: String = "GET", target: String = "/a?b=c", headers: [String: String] = ["date": "D"]
    ) throws -> String {
        try withBytes(SignatureHeaderTests.make(headers: list)) { bytes in
            let names = try SignatureHeader(bytes).names
            return String(decoding: try signingString(names, method: method, target: target, headers: headers), as: UTF8.self)
        }
    }

    @Test("lines come in the order of the list, names and method in lower case, values as they are")
    func lines() throws {
        #expect(try Self.build("(request-target) date") == "(request-target): get /a?b=c\ndate: D")
        #expect(
            try Self.build(
                "Date X-A (Request-Target)", method: "pOsT", target: "/A%2F?Q", headers: ["date": "D", "x-a": "Va lue"])
                == "date: D\nx-a: Va lue\n(request-target): post /A%2F?Q")
        #expect(try Self.build("(request-target) date x-empty", headers: ["date": "D", "x-empty": ""]).hasSuffix("\nx-empty: "))
    }

    @Test("a signed header that is absent is a fault")
    func absent() {
        #expect(throws: SignatureFault.signedHeaderMissing) { try Self.build("(request-target) date x-jms-org") }
    }

    @Test("the text is bounded")
    func bounded() {
        #expect(throws: SignatureFault.tooLong) {
            try Self.build("(request-target) date", target: String(repeating: "a", count: 70_000))
        }
    }

    @Test("the scratch memory is used again without a trace of what was in it")
    func reuse() throws {
        var scratch = Array("something long that was here before".utf8)
        try withBytes(SignatureHeaderTests.whole) { bytes in
            let names = try SignatureHeader(bytes).names
            try withBytes("D") { date in
                try SigningString.build(into: &scratch, method: date, target: date, names: names) { _ in date }
            }
        }
        #expect(String(decoding: scratch, as: UTF8.self) == "(request-target): d D\ndate: D")
    }
}

@Suite("SignatureMAC")
struct SignatureMACTests {
    @Test("decoding agrees with the bytes, bit by bit")
    func decode() throws {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var random = SeededGenerator(seed: 12)
        for _ in 0..<300 {
            let bytes = (0..<32).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
            var bits: [Int] = []
            for byte in bytes { for shift in (0..<8).reversed() { bits.append(Int(byte >> UInt8(shift)) & 1) } }
            bits += [0, 0]
            let text: [UInt8] = stride(from: 0, to: 258, by: 6).map { start in
                alphabet[bits[start..<(start + 6)].reduce(0) { $0 << 1 | $1 }]
            }
            let mac = (text + [0x3D]).withUnsafeBytes { SignatureMAC(base64: $0) }
            let same = bytes.withUnsafeBytes { SignatureMAC($0) }
            let decoded = try #require(mac)
            #expect(decoded.equals(try #require(same)))
            var flipped = bytes
            flipped[Int.random(in: 0..<32, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            let other = flipped.withUnsafeBytes { SignatureMAC($0) }
            #expect(try !decoded.equals(#require(other)))
        }
    }
}
