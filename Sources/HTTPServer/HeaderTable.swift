/// The headers of one request, as pointers into libmicrohttpd's memory; captured once, valid until the answer is sent.
struct HeaderTable: ~Copyable {
    struct Field {
        let name: UnsafeRawBufferPointer
        let value: UnsafeRawBufferPointer
    }

    /// More header lines than this are refused.
    static let limit = 100

    private let fields = UnsafeMutablePointer<Field>.allocate(capacity: HeaderTable.limit)
    private(set) var count = 0
    /// True when the request had more header lines than the table holds.
    private(set) var overflowed = false

    deinit {
        fields.deallocate()
    }

    mutating func clear() {
        count = 0
        overflowed = false
    }

    mutating func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        guard count < Self.limit else {
            overflowed = true
            return
        }
        (fields + count).initialize(to: Field(name: name, value: value))
        count += 1
    }

    subscript(index: Int) -> Field { fields[index] }

    func first(_ name: StaticString) -> UnsafeRawBufferPointer? {
        for index in 0..<count where fields[index].name.equalsIgnoringCase(name) { return fields[index].value }
        return nil
    }

    func first(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        for index in 0..<count where fields[index].name.equalsIgnoringCase(name) { return fields[index].value }
        return nil
    }

    func count(of name: StaticString) -> Int {
        var found = 0
        for index in 0..<count where fields[index].name.equalsIgnoringCase(name) { found += 1 }
        return found
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these are the bytes of an ASCII text, letters in either case.
    package func equalsIgnoringCase(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount, text.hasPointerRepresentation else { return false }
        return equalsIgnoringCase(UnsafeRawBufferPointer(start: text.utf8Start, count: count))
    }

    /// Whether both are the same ASCII text, letters in either case. Eight bytes at a time: every request has its names looked up.
    package func equalsIgnoringCase(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard count >= 8 else {
            for index in 0..<count where Self.lower(self[index]) != Self.lower(other[index]) { return false }
            return true
        }
        var index = 0
        while index &+ 8 < count {
            if !equalsIgnoringCase(other, at: index) { return false }
            index &+= 8
        }
        // The last eight, some of them for the second time.
        return equalsIgnoringCase(other, at: count &- 8)
    }

    private func equalsIgnoringCase(_ other: UnsafeRawBufferPointer, at index: Int) -> Bool {
        let mine = loadUnaligned(fromByteOffset: index, as: UInt64.self)
        let its = other.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        return mine == its || Self.lower(mine) == Self.lower(its)
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }

    /// Each byte of a word that is an upper-case letter becomes lower-case: the sums set a byte's top bit from `A` on, and behind `Z`.
    private static func lower(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = word & (ones &* 0x7f)
        let isUpper = ((low &+ ones &* (0x80 - 0x41)) ^ (low &+ ones &* (0x7f - 0x5a))) & ~word & (ones &* 0x80)
        return word | isUpper >> 2
    }
}
