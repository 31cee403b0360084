/// The path of a request, taken apart once and refused if it could mean two things.
struct RequestPath {
    /// Raw segments between slashes; a path that names an operation begins and ends with one.
    let segments: [[UInt8]]
    let hasTrailingSlash: Bool

    /// Throws for dot segments, empty segments, backslashes, control bytes, and for dots, slashes, backslashes or NUL in percent form.
    init(_ raw: UnsafeRawBufferPointer) throws(PathFault) {
        guard raw.first == UInt8(ascii: "/") else { throw .notAbsolute }
        var segments: [[UInt8]] = []
        var current: [UInt8] = []
        for byte in raw.dropFirst() {
            switch byte {
            case UInt8(ascii: "/"):
                guard !current.isEmpty else { throw .emptySegment }
                segments.append(current)
                current = []
            case 0x5C: throw .forbiddenByte
            case 0...0x20, 0x7F...: throw .forbiddenByte
            default: current.append(byte)
            }
        }
        hasTrailingSlash = current.isEmpty
        if !current.isEmpty { segments.append(current) }
        for segment in segments { try Self.check(segment) }
        self.segments = segments
    }

    enum PathFault: Error { case notAbsolute, emptySegment, forbiddenByte, dotSegment, forbiddenEscape }

    private static func check(_ segment: [UInt8]) throws(PathFault) {
        guard segment.contains(UInt8(ascii: "%")) || segment.first == UInt8(ascii: ".") else { return }
        guard let decoded = PercentCoding.decodeBytes(segment, plusIsSpace: false) else { throw .forbiddenEscape }
        if decoded.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0x5C || $0 < 0x20 || $0 == 0x7F }) {
            throw .forbiddenEscape
        }
        if decoded == Array(".".utf8) || decoded == Array("..".utf8) { throw .dotSegment }
    }
}

/// Percent-coding of paths and queries (RFC 3986, 2.1), strictly: a lone `%` is an error.
enum PercentCoding {
    static func decodeBytes(_ raw: some Sequence<UInt8>, plusIsSpace: Bool) -> [UInt8]? {
        var out: [UInt8] = []
        var iterator = raw.makeIterator()
        while let byte = iterator.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = iterator.next().flatMap(digit), let low = iterator.next().flatMap(digit) else { return nil }
                out.append(high << 4 | low)
            } else if byte == UInt8(ascii: "+"), plusIsSpace {
                out.append(0x20)
            } else {
                out.append(byte)
            }
        }
        return out
    }

    /// Decoded text; nil if it is not valid UTF-8 or holds NUL.
    static func decode(_ raw: some Sequence<UInt8>, plusIsSpace: Bool) -> String? {
        guard let bytes = decodeBytes(raw, plusIsSpace: plusIsSpace), !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}
