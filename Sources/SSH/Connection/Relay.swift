internal import Glibc

/// What is on its way in one direction of a relay: bounded by its buffer, so that a slow side slows the other one down.
struct RelayHalf {
    private var bytes = [UInt8](repeating: 0, count: 32 * 1024)
    private var start = 0
    private var end = 0
    private(set) var isAtEnd = false
    /// The other side has been told of the end.
    private(set) var hasPassedEnd = false

    var isEmpty: Bool { start == end }
    var wantsMore: Bool { isEmpty && !isAtEnd }

    /// Reads once if there is room; whether something came.
    mutating func fill(_ read: (UnsafeMutableRawBufferPointer) -> Descriptor.Reading) -> Bool {
        guard wantsMore else { return false }
        switch bytes.withUnsafeMutableBytes(read) {
        case .count(let count):
            (start, end) = (0, count)
            return true
        case .nothingYet: return false
        case .ended:
            isAtEnd = true
            return true
        }
    }

    /// Writes once, or passes the end on; whether something went, nil when the other side is broken.
    mutating func drain(_ write: (UnsafeRawBufferPointer) -> Int?, end passEnd: () -> Bool) -> Bool? {
        if !isEmpty {
            guard let taken = bytes[start..<end].withUnsafeBytes(write) else { return nil }
            start += taken
            return taken > 0
        }
        guard isAtEnd, !hasPassedEnd else { return false }
        hasPassedEnd = passEnd()
        return hasPassedEnd
    }
}

/// Carries bytes between two sockets until both directions have ended.
struct Relay {
    private let first: Descriptor
    private let second: Descriptor
    private var there = RelayHalf()
    private var back = RelayHalf()

    init(_ first: Descriptor, _ second: Descriptor) {
        self.first = first
        self.second = second
    }

    mutating func run() {
        while !there.hasPassedEnd || !back.hasPassedEnd {
            guard let went = Self.move(&there, from: first, to: second), let came = Self.move(&back, from: second, to: first)
            else { break }
            if !went, !came { wait() }
        }
        first.shutDown()
        second.shutDown()
    }

    private static func move(_ half: inout RelayHalf, from source: Descriptor, to sink: Descriptor) -> Bool? {
        let hasRead = half.fill { source.read(into: $0) }
        let hasWritten = half.drain({ sink.write($0) }) {
            _ = shutdown(sink.number, Int32(SHUT_WR))
            return true
        }
        return hasWritten.map { $0 || hasRead }
    }

    private func wait() {
        _ = Poll.wait(
            [
                .init(first, reads: there.wantsMore, writes: !back.isEmpty),
                .init(second, reads: back.wantsMore, writes: !there.isEmpty),
            ], milliseconds: 60_000)
    }
}
