import JSON
import Testing

@Suite("JSONWriter")
struct JSONWriterTests {
    @Test("commas and brackets come by themselves")
    func structure() {
        var writer = JSONWriter()
        writer.object {
            $0.field("name", "a")
            $0.field("none", nil as String?)
            $0.field("count", 3)
            $0.field("on", true)
            $0.field("list", ["x", "y"])
            $0.array("rows") {
                for row in 0..<2 { $0.object { $0.field("row", row) } }
                $0.array { _ in }
                $0.null()
                $0.double(1.5)
                $0.double(.nan)
                $0.raw(Array("{}".utf8))
            }
            $0.object("empty") { _ in }
        }
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"name":"a","none":null,"count":3,"on":true,"list":["x","y"],"rows":[{"row":0},{"row":1},[],null,1.5,null,{}],"empty":{}}"#
        )
    }

    @Test("every character survives writing and reading")
    func characters() throws {
        let text = String(String.UnicodeScalarView((0..<0x300).compactMap { Unicode.Scalar($0 as UInt32) })) + "漢𝄞\u{2028}"
        var writer = JSONWriter()
        writer.string(text)
        #expect(try JSONDocument.parse(writer.bytes).string == text)
        var copy = text
        #expect(copy.withUTF8 { JSONEscape.count(UnsafeRawBufferPointer($0)) } == writer.bytes.count - 2)
    }

    @Test("a text can be written into memory of the caller, and too little of it is noticed")
    func buffer() {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 24, alignment: 1)
        defer { memory.deallocate() }
        var writer = JSONWriter(into: JSONBuffer(memory))
        writer.object { $0.field("secret", "a\"b\u{1}") }
        #expect(!writer.sink.isOverflowed)
        #expect(String(decoding: memory[..<writer.sink.count], as: UTF8.self) == #"{"secret":"a\"b\u0001"}"#)
        writer.string("more")
        #expect(writer.sink.isOverflowed && writer.sink.count <= 24)
    }
}
