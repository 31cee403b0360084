import Domain
import JSON
import TestSupport
import Testing

@Suite("Identifier")
struct IdentifierTests {
    /// The text form, digit by digit.
    static func text(_ high: UInt64, _ low: UInt64) -> String {
        var digits = [high, low].map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
        for place in [20, 16, 12, 8] { digits.insert("-", at: digits.index(digits.startIndex, offsetBy: place)) }
        return digits
    }

    @Test("random ids are written and read back in every form")
    func roundTrip() {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<1000 {
            let id = AccountID(high: random.next(), low: random.next())
            let text = Self.text(id.high, id.low)
            #expect(id.description == text)
            #expect(AccountID(text) == id)
            #expect(AccountID(text.uppercased()) == id)
            #expect(AccountID(text.replacing("-", with: "")) == id)
        }
    }

    @Test("one wrong character anywhere is refused, whatever it is")
    func wrong() {
        let text = Array("01234567-89ab-cdef-ABCD-EF0123456789".utf8)
        let plain = text.filter { $0 != UInt8(ascii: "-") }
        #expect(AccountID(utf8: text) != nil && AccountID(utf8: plain) != nil)
        for form in [text, plain] {
            for place in form.indices {
                for byte: UInt8 in 0...255 {
                    var changed = form
                    changed[place] = byte
                    let isHyphen = form[place] == UInt8(ascii: "-")
                    let isRight = isHyphen ? byte == form[place] : Character(Unicode.Scalar(byte)).isHexDigit && byte < 0x80
                    #expect((AccountID(utf8: changed) != nil) == isRight)
                }
            }
        }
        for count in 0..<40 where count != 32 && count != 36 {
            #expect(AccountID(utf8: [UInt8](repeating: 48, count: count)) == nil)
        }
    }

    @Test("whatever text is taken for an id is one of its two forms")
    func fuzz() {
        var fuzzer = Fuzzer(seed: 38, samples: ["01234567-89ab-cdef-ABCD-EF0123456789", "0123456789abcdefABCDEF0123456789"])
        var read = 0
        for _ in 0..<Fuzzer.rounds(10_000) {
            let bytes = fuzzer.next()
            _ = AccountID(bytes: bytes)
            guard let id = AccountID(utf8: bytes) else { continue }
            read += 1
            let text = String(decoding: bytes, as: UTF8.self).lowercased()
            #expect(text == id.description || text == id.description.replacing("-", with: ""))
        }
        #expect(read > 50)
    }

    @Test("the text of an id and of an address fits memory that is there already")
    func bounded() {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { memory in
            var bytes = BoundedBytes(memory)
            bytes.append(AccountID(high: 1, low: 0xABC))
            if let address = IPAddress("10.0.255.1") { bytes.append(address) }
            #expect(
                String(decoding: memory[..<bytes.count], as: UTF8.self) == "00000000-0000-0001-0000-000000000abc10.0.255.1")
            let fitted = bytes.isWhole
            bytes.append(AccountID(high: 1, low: 2))
            let fits = bytes.isWhole
            #expect(fitted && !fits)
        }
    }
}
