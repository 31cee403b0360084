internal import Domain

/// Writes the one hot answer into memory that is there already, without a sink between: every fetch of a secret pays for it.
///
/// Whoever makes it sees to the room: `escapedByteCount` times the longest texts, and the fixed parts.
struct AnswerBytes: ~Copyable {
    /// The longest form of one byte of text: `\u00xx`.
    static let escapedByteCount = 6

    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0
    /// False once something did not fit; what was written is of no use then.
    private(set) var isWhole = true

    init(_ memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
    }

    mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { copy(UnsafeRawBufferPointer($0)) }
    }

    mutating func append<Entity>(_ id: Identifier<Entity>) {
        guard let place = take(36) else { return }
        id.write(to: place)
    }

    /// JSON that is ready.
    mutating func append(raw json: UnsafeRawBufferPointer) { copy(json) }

    /// Text without quotes, escaped as JSON wants it (RFC 8259, 7).
    mutating func append(escaping text: UnsafeRawBufferPointer) {
        var start = 0
        for index in 0..<text.count where Self.needsEscape(text[index]) {
            copy(UnsafeRawBufferPointer(rebasing: text[start..<index]))
            escape(text[index])
            start = index + 1
        }
        copy(UnsafeRawBufferPointer(rebasing: text[start...]))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"" as StaticString)
        case UInt8(ascii: "\\"): append("\\\\" as StaticString)
        case 10: append("\\n" as StaticString)
        case 13: append("\\r" as StaticString)
        case 9: append("\\t" as StaticString)
        default:
            append("\\u00" as StaticString)
            guard let place = take(2) else { return }
            place[0] = byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1")
            place[1] = byte & 15 < 10 ? 48 + (byte & 15) : 87 + (byte & 15)
        }
    }

    private mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > 0, let place = take(bytes.count) else { return }
        place.copyMemory(from: bytes)
    }

    private mutating func take(_ size: Int) -> UnsafeMutableRawBufferPointer? {
        guard size <= memory.count - count else {
            isWhole = false
            return nil
        }
        defer { count += size }
        return UnsafeMutableRawBufferPointer(rebasing: memory[count..<(count + size)])
    }
}
