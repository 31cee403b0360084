internal import Streams

/// Reads the fields of one packet of the client/server protocol, and never beyond its end.
struct PacketReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }
    var count: Int { rest.count }
    var first: UInt8? { rest.first }

    mutating func byte() throws(MariaDBFault) -> UInt8 {
        guard let byte = rest.popFirst() else { throw Self.short }
        return byte
    }

    /// A number of fixed width, the lowest byte first.
    mutating func number(_ width: Int) throws(MariaDBFault) -> Int {
        try bytes(width).reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    mutating func bytes(_ count: Int) throws(MariaDBFault) -> [UInt8] {
        guard count >= 0, count <= rest.count else { throw Self.short }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func untilNUL() throws(MariaDBFault) -> [UInt8] {
        guard let end = rest.firstIndex(of: 0) else { throw Self.short }
        defer { rest = rest[(end + 1)...] }
        return Array(rest[..<end])
    }

    mutating func remainder() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }

    /// A number whose first byte tells its width; nil for NULL.
    mutating func lengthEncoded() throws(MariaDBFault) -> Int? {
        let first = try byte()
        switch first {
        case 0xFB: return nil
        case 0xFC: return try number(2)
        case 0xFD: return try number(3)
        case 0xFE:
            let bytes = try bytes(8)
            guard bytes[7] < 0x80 else { throw Self.short }
            return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
        case 0xFF: throw Self.short
        default: return Int(first)
        }
    }

    /// Text with its length before it; nil for NULL.
    mutating func text() throws(MariaDBFault) -> String? {
        guard let count = try lengthEncoded() else { return nil }
        return String(decoding: try bytes(count), as: UTF8.self)
    }

    private static var short: MariaDBFault { MariaDBFault(.brokenProtocol, "a packet is too short for what it says") }
}
