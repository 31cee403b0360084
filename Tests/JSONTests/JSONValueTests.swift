import JSON
import TestSupport
import Testing

@Suite("JSONValue")
struct JSONValueTests {
    @Test("values answer only for their own kind")
    func kinds() throws {
        let value = try JSONDocument.parse(#"{"s":"x","i":7,"d":1.5,"b":true,"n":null,"a":[1],"o":{}}"#)
        #expect(value.kind == .object && value.count == 7)
        #expect(value["s"]?.string == "x" && value["s"]?.int == nil && value["s"]?.bool == nil)
        #expect(value["i"]?.int == 7 && value["i"]?.double == 7 && value["i"]?.string == nil)
        #expect(value["d"]?.double == 1.5 && value["d"]?.int == nil)
        #expect(value["b"]?.bool == true && value["n"]?.isNull == true && value["n"]?.bool == nil)
        #expect(value["a"]?.array.map { $0.map(\.int) } == [1])
        #expect(value["o"]?.count == 0 && value["o"]?.array == nil)
        #expect(value["missing"] == nil && value["s"]?["x"] == nil)
    }

    @Test(
        "integers are exact",
        arguments: [
            ("0", 0), ("-0", 0), ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
            ("9223372036854775808", nil), ("-9223372036854775809", nil), ("1.0", nil), ("1e2", nil),
            ("99999999999999999999999", nil),
        ] as [(String, Int64?)])
    func integers(text: String, expected: Int64?) throws {
        #expect(try JSONDocument.parse(text).int == expected)
    }

    @Test("doubles that are out of range are nil")
    func doubles() throws {
        #expect(try JSONDocument.parse("1e400").double == nil)
        #expect(try JSONDocument.parse("-2.5e-3").double == -0.0025)
        #expect(try JSONDocument.parse(String(repeating: "1", count: 500)).double == nil)
    }

    @Test("a string's bytes come out unescaped, into memory of the caller")
    func unescape() throws {
        let value = try JSONDocument.parse(#"["plain","\u00e9\uD834\uDD1E\n\"\/\u0041\u20ac","" ,5]"#)
        let elements = Array(try #require(value.array))
        #expect(elements.map(\.unescapedCount) == [5, 2 + 4 + 1 + 1 + 1 + 1 + 3, 0, nil])
        for element in elements.dropLast() {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 32, alignment: 1)
            defer { memory.deallocate() }
            let count = try #require(element.unescape(into: memory))
            #expect(String(decoding: memory[..<count], as: UTF8.self) == element.string)
            #expect(count == element.unescapedCount)
        }
        #expect(elements[1].string == "é𝄞\n\"/A€")
        #expect(elements[1].isString("é𝄞\n\"/A€") && !elements[1].isString("é"))
        let small = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 1)
        defer { small.deallocate() }
        #expect(elements[0].unescape(into: small) == nil)
    }

    @Test("a large array is walked in linear time")
    func large() throws {
        let text = "[" + Array(repeating: #"{"a":[1,{"b":2}]}"#, count: 10_000).joined(separator: ",") + "]"
        let value = try JSONDocument.parse(text)
        var sum: Int64 = 0
        let elapsed = try ThreadTime.measure {
            for element in try #require(value.array) {
                sum += element["a"]?.array?.dropFirst().first { _ in true }?["b"]?.int ?? 0
            }
        }
        #expect(sum == 20_000)
        #expect(elapsed < .seconds(3))
    }

    @Test("raw text is the value as it stands")
    func raw() throws {
        let value = try JSONDocument.parse(#" {"a" : "x\n", "b":[1, 2]} "#)
        func raw(_ value: JSONValue?) -> String? { value?.withRawText { String(decoding: $0, as: UTF8.self) } }
        #expect(raw(value["a"]) == #""x\n""#)
        #expect(raw(value["b"]) == "[1, 2]")
    }
}
