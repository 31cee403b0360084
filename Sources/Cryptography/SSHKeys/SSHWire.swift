/// Writes SSH's data types (RFC 4251, section 5) into memory that its owner wipes. What does not fit is counted and not written.
package struct SSHWireWriter {
    private let place: UnsafeMutableRawBufferPointer
    package private(set) var count = 0
    package private(set) var isFull = false

    package init(_ place: UnsafeMutableRawBufferPointer) { self.place = place }

    package mutating func byte(_ value: UInt8) {
        guard count < place.count else { return isFull = true }
        place[count] = value
        count += 1
    }

    package mutating func word(_ value: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { byte(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    package mutating func raw(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= place.count - count else { return isFull = true }
        UnsafeMutableRawBufferPointer(rebasing: place[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    package mutating func string(_ bytes: UnsafeRawBufferPointer) {
        word(UInt32(clamping: bytes.count))
        raw(bytes)
    }

    package mutating func string(_ bytes: [UInt8]) { bytes.withUnsafeBytes { string($0) } }
    package mutating func string(_ text: String) { string(Array(text.utf8)) }

    /// A positive number from its bytes, most significant first: without leading zeros, and with one where the sign bit would be set.
    package mutating func number(_ bytes: UnsafeRawBufferPointer) {
        let digits = UnsafeRawBufferPointer(rebasing: bytes.drop { $0 == 0 })
        let isHigh = (digits.first ?? 0) >= 0x80
        word(UInt32(clamping: digits.count + (isHigh ? 1 : 0)))
        if isHigh { byte(0) }
        raw(digits)
    }
}

/// Reads SSH's data types; nil or false for what is not there. It borrows the bytes that it was made over.
package struct SSHWireReader {
    private var rest: UnsafeRawBufferPointer

    package init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

    package var isAtEnd: Bool { rest.isEmpty }
    package var remaining: UnsafeRawBufferPointer { rest }

    package mutating func byte() -> UInt8? {
        guard let first = rest.first else { return nil }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
        return first
    }

    package mutating func word() -> UInt32? {
        guard rest.count >= 4 else { return nil }
        let value = rest.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(4))
        return value
    }

    package mutating func raw(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, count <= rest.count else { return nil }
        let part = UnsafeRawBufferPointer(rebasing: rest.prefix(count))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
        return part
    }

    package mutating func string() -> UnsafeRawBufferPointer? {
        guard let count = word().flatMap({ Int(exactly: $0) }) else { return nil }
        return raw(count)
    }

    /// Text of names: visible ASCII, at most 64 characters.
    package mutating func name() -> String? {
        guard let bytes = string(), bytes.count <= 64, bytes.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
