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
        let other = text.utf8Start
        for index in 0..<count where Self.lower(self[index]) != Self.lower(other[index]) { return false }
        return true
    }

    /// Whether both are the same ASCII text, letters in either case.
    func equalsIgnoringCase(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        for index in 0..<count where Self.lower(self[index]) != Self.lower(other[index]) { return false }
        return true
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        byte &- 0x41 < 26 ? byte | 0x20 : byte
    }
}
