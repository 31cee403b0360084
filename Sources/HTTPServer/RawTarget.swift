/// The request target exactly as it was received, copied before libmicrohttpd decodes it in place.
struct RawTarget: ~Copyable {
    /// Longer targets are refused.
    static let limit = 8 * 1024

    private var bytes = UnsafeMutableRawPointer.allocate(byteCount: 256, alignment: 1)
    private var capacity = 256
    private(set) var count = 0
    /// Where the query starts, or `count`.
    private var question = 0

    deinit {
        bytes.deallocate()
    }

    var all: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }
    var path: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: question) }
    var query: UnsafeRawBufferPointer {
        question < count
            ? UnsafeRawBufferPointer(start: bytes + question + 1, count: count - question - 1)
            : UnsafeRawBufferPointer(start: bytes + count, count: 0)
    }

    mutating func assign(_ source: UnsafeRawBufferPointer) {
        count = source.count
        if count > capacity {
            bytes.deallocate()
            capacity = 2 * count
            bytes = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 1)
        }
        if let start = source.baseAddress { bytes.copyMemory(from: start, byteCount: count) }
        question = all.firstIndex(of: 0x3f) ?? count
    }

    /// Whether the target is one that everybody reads the same way: origin form (RFC 9112, 3.2.1), printable ASCII,
    /// and a path without `.` or `..` segments, backslashes, or encoded slashes, backslashes and NULs.
    var isUnambiguous: Bool {
        guard count > 0, all[0] == 0x2f else { return false }
        for byte in all where byte <= 0x20 || byte >= 0x7f || byte == 0x23 { return false }
        return Self.isPlain(path)
    }

    private static func isPlain(_ path: UnsafeRawBufferPointer) -> Bool {
        // Most paths have nothing of what has to be looked at closely.
        if !path.contains(where: { $0 == 0x25 || $0 == 0x2e || $0 == 0x5c }) { return true }
        var index = 0
        var segment = Segment()
        while index < path.count {
            var byte = path[index]
            index += 1
            if byte == 0x2f {
                if segment.isDots { return false }
                segment = Segment()
                continue
            }
            if byte == 0x25 {
                guard index + 1 < path.count, let high = hex(path[index]), let low = hex(path[index + 1]) else { return false }
                byte = high << 4 | low
                index += 2
                if byte == 0x2f || byte == 0 { return false }
            }
            if byte == 0x5c { return false }
            segment.add(byte)
        }
        return !segment.isDots
    }

    /// As much of a path segment as tells whether it is `.` or `..`.
    private struct Segment {
        private var length = 0
        private var onlyDots = true

        var isDots: Bool { onlyDots && (length == 1 || length == 2) }

        mutating func add(_ byte: UInt8) {
            length = min(3, length + 1)
            if byte != 0x2e { onlyDots = false }
        }
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
