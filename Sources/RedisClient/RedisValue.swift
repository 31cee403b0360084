internal import Streams

/// An answer of a server (RESP2).
package indirect enum RedisValue: Sendable, Hashable {
    case status(String)
    case error(String)
    case number(Int)
    /// nil where there is none.
    case text(String?)
    case list([RedisValue])

    /// The text of a status or a string.
    package var string: String? {
        switch self {
        case .status(let text): text
        case .text(let text): text
        default: nil
        }
    }

    package var items: [RedisValue]? {
        if case .list(let items) = self { items } else { nil }
    }

    /// The value after a name in a flat list of names and values, as `ACL GETUSER` and `CONFIG GET` answer.
    package subscript(_ name: String) -> RedisValue? {
        guard let items else { return nil }
        for index in stride(from: 0, to: items.count - 1, by: 2) where items[index].string == name { return items[index + 1] }
        return nil
    }
}

/// Reads one answer from where bytes come from, within a budget of bytes, items and depth.
struct RedisReader {
    private var bytes: Int
    private var items: Int
    private static let deepest = 8
    private static let longestLine = 65_536

    /// - Parameter bytes: How many bytes the answer may have.
    init(bytes: Int) {
        self.bytes = bytes
        items = 20_000
    }

    /// - Parameters:
    ///   - line: One line without its end, at most that long; nil if it is longer.
    ///   - exactly: That many bytes.
    mutating func value(
        depth: Int = 0, line: (Int) throws(RedisFault) -> [UInt8]?, exactly: (Int) throws(RedisFault) -> [UInt8]
    ) throws(RedisFault) -> RedisValue {
        items -= 1
        guard items >= 0, depth <= Self.deepest else { throw Self.tooMuch }
        guard let head = try line(min(bytes, Self.longestLine)) else { throw Self.tooMuch }
        bytes -= head.count
        let rest = String(decoding: head.dropFirst(), as: UTF8.self)
        switch head.first {
        case UInt8(ascii: "+"): return .status(rest)
        case UInt8(ascii: "-"): return .error(rest)
        case UInt8(ascii: ":"):
            guard let number = Int(rest) else { throw Self.nonsense }
            return .number(number)
        case UInt8(ascii: "$"):
            guard let count = try count(rest) else { return .text(nil) }
            guard count + 2 <= bytes else { throw Self.tooMuch }
            bytes -= count + 2
            let content = try exactly(count + 2)
            guard content.suffix(2).elementsEqual([13, 10]) else { throw Self.nonsense }
            return .text(String(decoding: content.dropLast(2), as: UTF8.self))
        case UInt8(ascii: "*"):
            guard let count = try count(rest) else { return .text(nil) }
            guard count <= items else { throw Self.tooMuch }
            var list: [RedisValue] = []
            for _ in 0..<count { list.append(try value(depth: depth + 1, line: line, exactly: exactly)) }
            return .list(list)
        default: throw Self.nonsense
        }
    }

    /// A length; nil for -1, which stands for nothing.
    private func count(_ text: String) throws(RedisFault) -> Int? {
        guard let count = Int(text), count >= -1 else { throw Self.nonsense }
        guard count < 1 << 40 else { throw Self.tooMuch }
        return count == -1 ? nil : count
    }

    private static var tooMuch: RedisFault { RedisFault(.brokenProtocol, "the answer is too long") }
    private static var nonsense: RedisFault { RedisFault(.brokenProtocol, "not the protocol of Redis") }
}
