import JSON
import Testing

@Suite("Bounded bytes")
struct BoundedBytesTests {
    static func text(room: Int = 256, _ write: (inout BoundedBytes) -> Void) -> (text: String, isWhole: Bool) {
        withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) { memory in
            var bytes = BoundedBytes(memory)
            write(&bytes)
            return (String(decoding: memory[..<bytes.count], as: UTF8.self), bytes.isWhole)
        }
    }

    @Test("numbers are written in decimal", arguments: [0, 7, -1, 10, 99, 1_700_000_000_000, .max, .min] as [Int64])
    func numbers(_ number: Int64) {
        #expect(Self.text { $0.append(number) } == ("\(number)", true))
    }

    @Test("text is escaped as JSON wants it")
    func escapes() {
        let text = "a\"b\\c\n\r\t\u{1}\u{1f}é"
        let written = Self.text { bytes in Array(text.utf8).withUnsafeBytes { bytes.append(escaping: $0) } }
        #expect(written == (#"a\"b\\c\n\r\t\u0001\u001fé"#, true))
    }

    @Test("what does not fit is left out and told")
    func room() {
        let written = Self.text(room: 4) {
            $0.append("abc" as StaticString)
            $0.append(raw: Array("de".utf8))
        }
        #expect(written == ("abc", false))
    }
}
