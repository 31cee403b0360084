import JSON
import TestSupport
import Testing

@Suite("JSONDocument")
struct JSONDocumentTests {
    @Test(
        "valid texts are accepted",
        arguments: [
            "{}", "[]", "null", "true", " false ", "0", "-0", "-0.0e+10", "1E400", "123456789012345678901234567890", "\"\"",
            "\t\r\n [ ] \n", "[1,2 , 3]", #"{"a":{"b":[{}]}}"#, #"["\u0000\u00e9\uD834\uDD1E\"\\\/\b\f\n\r\t"]"#,
            "\"\u{7f}\u{2028}é漢𝄞\"", #"{"":0," ":1}"#, #"{"a":1,"A":2}"#, "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
            "{\"\u{e9}\":1,\"e\u{301}\":2}",
        ])
    func accepts(text: String) throws {
        _ = try JSONDocument.parse(text)
    }

    @Test(
        "each invalid text is refused for its reason, at its byte",
        arguments: [
            ("", JSONFault(.unexpectedEnd, at: 0)), ("  ", JSONFault(.unexpectedEnd, at: 2)),
            ("{", JSONFault(.unexpectedEnd, at: 1)), ("[1", JSONFault(.unexpectedEnd, at: 2)),
            ("[1,]", JSONFault(.unexpectedByte, at: 3)), ("[,1]", JSONFault(.unexpectedByte, at: 1)),
            ("[1 2]", JSONFault(.unexpectedByte, at: 3)), ("[1}", JSONFault(.unexpectedByte, at: 2)),
            (#"{"a":1,}"#, JSONFault(.unexpectedByte, at: 7)), ("{a:1}", JSONFault(.unexpectedByte, at: 1)),
            (#"{"a" 1}"#, JSONFault(.unexpectedByte, at: 5)), (#"{"a":}"#, JSONFault(.unexpectedByte, at: 5)),
            (#"{"a"}"#, JSONFault(.unexpectedByte, at: 4)), ("{1:1}", JSONFault(.unexpectedByte, at: 1)),
            ("nul", JSONFault(.unexpectedEnd, at: 3)), ("nulL", JSONFault(.unexpectedByte, at: 3)),
            ("True", JSONFault(.unexpectedByte, at: 0)), ("NaN", JSONFault(.unexpectedByte, at: 0)),
            ("-Infinity", JSONFault(.invalidNumber, at: 1)), ("+1", JSONFault(.unexpectedByte, at: 0)),
            ("01", JSONFault(.invalidNumber, at: 1)), ("-", JSONFault(.unexpectedEnd, at: 1)),
            ("-01", JSONFault(.invalidNumber, at: 2)), ("1.", JSONFault(.unexpectedEnd, at: 2)),
            (".5", JSONFault(.unexpectedByte, at: 0)), ("1.e1", JSONFault(.invalidNumber, at: 2)),
            ("1e", JSONFault(.unexpectedEnd, at: 2)), ("[1e+]", JSONFault(.invalidNumber, at: 4)),
            ("0x1", JSONFault(.trailingBytes, at: 1)), ("1 2", JSONFault(.trailingBytes, at: 2)),
            ("{}}", JSONFault(.trailingBytes, at: 2)), ("[]\0", JSONFault(.trailingBytes, at: 2)),
            ("'a'", JSONFault(.unexpectedByte, at: 0)), ("\"a", JSONFault(.unexpectedEnd, at: 2)),
            ("\"\n\"", JSONFault(.controlCharacter, at: 1)), ("\"\0\"", JSONFault(.controlCharacter, at: 1)),
            (#""\x""#, JSONFault(.invalidEscape, at: 2)), (#""\u12"#, JSONFault(.invalidEscape, at: 3)),
            (#""\u00g0""#, JSONFault(.invalidEscape, at: 3)), (#""\"#, JSONFault(.unexpectedEnd, at: 2)),
            (#""\uD834""#, JSONFault(.invalidSurrogate, at: 1)), (#""\uDD1E""#, JSONFault(.invalidSurrogate, at: 1)),
            (#""\uD834\uD834""#, JSONFault(.invalidSurrogate, at: 1)), (#""\uD834\n12345""#, JSONFault(.invalidSurrogate, at: 1)),
            (#"{"a":1,"a":2}"#, JSONFault(.duplicateKey, at: 8)), (#"{"a":1,"\u0061":2}"#, JSONFault(.duplicateKey, at: 8)),
            (#"[{"x":{"a":1,"b":2,"a":3}}]"#, JSONFault(.duplicateKey, at: 20)),
            ("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", JSONFault(.tooDeep, at: 16)),
            ("\u{FEFF}{}", JSONFault(.unexpectedByte, at: 0)), ("[1]//", JSONFault(.trailingBytes, at: 3)),
        ])
    func refuses(text: String, fault: JSONFault) {
        #expect(throws: fault) { try JSONDocument.parse(text) }
    }

    @Test(
        "malformed UTF-8 is refused",
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xE2, 0x28, 0xA1],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF0, 0x9D, 0x84], [0xFF], [0xFE],
        ] as [[UInt8]])
    func refusesUTF8(bytes: [UInt8]) {
        let text = [0x22] + bytes + [0x22]
        #expect(throws: JSONFault(.invalidUTF8, at: 1)) { try JSONDocument.parse(text) }
        #expect(!bytes.withUnsafeBytes { UTF8Scan.isValid($0) })
    }

    @Test("size, depth and number of values are bounded")
    func limits() throws {
        #expect(throws: JSONFault(.tooLarge, at: 4)) { try JSONDocument.parse("[1,2]", limits: JSONLimits(bytes: 4)) }
        #expect(throws: JSONFault(.tooManyValues, at: 3)) { try JSONDocument.parse("[1,2]", limits: JSONLimits(values: 2)) }
        #expect(throws: JSONFault(.tooDeep, at: 1)) { try JSONDocument.parse("[[]]", limits: JSONLimits(depth: 1)) }
        let deep = String(repeating: "[", count: 1_000_000)
        #expect(throws: JSONFault(.tooDeep, at: 16)) { try JSONDocument.parse(deep) }
    }

    @Test("a duplicate key is found among very many, and many distinct keys are fine")
    func manyKeys() throws {
        let keys = (0..<20_000).map { "\"k\($0)\":\($0)" }
        let value = try JSONDocument.parse("{" + keys.joined(separator: ",") + "}")
        #expect(value.count == 20_000)
        #expect(value["k19999"]?.int == 19_999)
        let doubled = "{" + (keys + [#""k\u0037":0"#]).joined(separator: ",") + "}"
        let fault = #expect(throws: JSONFault.self) { try JSONDocument.parse(doubled) }
        #expect(fault?.kind == .duplicateKey)
    }

    @Test("a fault's description has no content of the text")
    func silent() {
        let fault = #expect(throws: JSONFault.self) { try JSONDocument.parse(#"{"secret": hunter2}"#) }
        #expect(fault?.description == "unexpected character (at byte 11)")
    }
}

@Suite("JSON fuzzing")
struct JSONFuzzTests {
    static let samples = [
        #"{"type":"attrs","attrs":[{"name":"labels","match":"m2m","value":["a","b"],"rel":"and"}]}"#,
        #"{"name":"web \u00e9\uD834\uDD1E","port":22,"on":true,"x":null,"f":-1.5e3,"deep":[[[{"a":[]}]]]}"#,
        "[1,2,3,\"\\\"\\\\\",{\"é\":\"漢字\"}]",
    ]

    @Test("what is accepted is equal after being written and read again; nothing traps")
    func fuzzRoundTrip() throws {
        var fuzzer = Fuzzer(seed: 1, samples: Self.samples)
        var accepted = 0
        for _ in 0..<Fuzzer.rounds(6_000) {
            guard let value = try? JSONDocument.parse(fuzzer.next()) else { continue }
            accepted += 1
            var writer = JSONWriter()
            rewrite(value, to: &writer)
            let again = try JSONDocument.parse(writer.bytes)
            #expect(same(value, again))
        }
        #expect(accepted > 100)
    }

    private func rewrite(_ value: JSONValue, to writer: inout JSONWriter<[UInt8]>) {
        if let array = value.array {
            writer.array { for element in array { rewrite(element, to: &$0) } }
        } else if let object = value.object {
            writer.object {
                for member in object {
                    $0.key(member.name)
                    rewrite(member.value, to: &$0)
                }
            }
        } else if let string = value.string {
            writer.string(string)
        } else {
            writer.value(value)
        }
    }

    private func same(_ a: JSONValue, _ b: JSONValue) -> Bool {
        guard a.kind == b.kind, a.count == b.count else { return false }
        if let x = a.array, let y = b.array { return zip(x, y).allSatisfy { same($0, $1) } }
        if let x = a.object, let y = b.object {
            return zip(x, y).allSatisfy { Array($0.name.utf8) == Array($1.name.utf8) && same($0.value, $1.value) }
        }
        return a.string == b.string && a.int == b.int && a.bool == b.bool && a.double == b.double
    }
}
