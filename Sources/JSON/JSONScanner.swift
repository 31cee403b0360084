/// One pass over the bytes of a document (RFC 8259) that checks everything and notes where each value lies.
///
/// It keeps its own stack of open containers, so no nesting can exhaust the thread's stack.
struct JSONScanner {
    let text: UnsafeRawBufferPointer
    let limits: JSONLimits
    private(set) var tokens: [JSONToken] = []
    private var position = 0
    private var open: [Int] = []

    init(_ text: UnsafeRawBufferPointer, limits: JSONLimits) {
        self.text = text
        self.limits = limits
    }

    mutating func scan() throws(JSONFault) {
        guard text.count <= limits.bytes else { throw JSONFault(.tooLarge, at: limits.bytes) }
        tokens.reserveCapacity(min(text.count / 8 + 4, 4096))
        skipSpace()
        try value()
        while let container = open.last {
            try advance(in: container)
        }
        skipSpace()
        guard position == text.count else { throw JSONFault(.trailingBytes, at: position) }
    }

    // MARK: - Structure

    /// Reads the next element or member of the innermost open container, or closes it.
    private mutating func advance(in container: Int) throws(JSONFault) {
        let isObject = tokens[container].kind == .object
        skipSpace()
        var byte = try peek()
        if byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            return try close(container)
        }
        if tokens[container].count > 0 {
            guard byte == UInt8(ascii: ",") else { throw JSONFault(.unexpectedByte, at: position) }
            position += 1
            skipSpace()
            byte = try peek()
        }
        if isObject {
            guard byte == UInt8(ascii: "\"") else { throw JSONFault(.unexpectedByte, at: position) }
            try string()
            skipSpace()
            guard try peek() == UInt8(ascii: ":") else { throw JSONFault(.unexpectedByte, at: position) }
            position += 1
            skipSpace()
        }
        tokens[container].count += 1
        try value()
    }

    private mutating func close(_ container: Int) throws(JSONFault) {
        position += 1
        open.removeLast()
        tokens[container].end = UInt32(position)
        tokens[container].next = UInt32(tokens.count)
        if tokens[container].kind == .object, let offset = KeyComparison(text, tokens).duplicate(in: container) {
            throw JSONFault(.duplicateKey, at: offset)
        }
    }

    private mutating func value() throws(JSONFault) {
        switch try peek() {
        case UInt8(ascii: "{"): try begin(.object)
        case UInt8(ascii: "["): try begin(.array)
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try literal("true", .bool)
        case UInt8(ascii: "f"): try literal("false", .bool)
        case UInt8(ascii: "n"): try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        default: throw JSONFault(.unexpectedByte, at: position)
        }
    }

    private mutating func begin(_ kind: JSONToken.Kind) throws(JSONFault) {
        guard open.count < limits.depth else { throw JSONFault(.tooDeep, at: position) }
        open.append(tokens.count)
        try append(kind, from: position, to: position)
        position += 1
    }

    private mutating func append(
        _ kind: JSONToken.Kind, from start: Int, to end: Int, isEscaped: Bool = false
    ) throws(JSONFault) {
        guard tokens.count < limits.values else { throw JSONFault(.tooManyValues, at: start) }
        tokens.append(
            JSONToken(
                kind: kind, isEscaped: isEscaped, start: UInt32(start), end: UInt32(end),
                next: UInt32(tokens.count + 1), count: 0))
    }

    // MARK: - Scalars

    private mutating func literal(_ word: StaticString, _ kind: JSONToken.Kind) throws(JSONFault) {
        let start = position
        for index in 0..<word.utf8CodeUnitCount {
            guard try peek() == word.utf8Start[index] else { throw JSONFault(.unexpectedByte, at: position) }
            position += 1
        }
        try append(kind, from: start, to: position)
    }

    private mutating func number() throws(JSONFault) {
        let start = position
        if text[position] == UInt8(ascii: "-") { position += 1 }
        if position < text.count, text[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits()
        }
        if position < text.count, text[position] == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < text.count, text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "-") {
                position += 1
            }
            try digits()
        }
        // A digit here follows a leading zero.
        if position < text.count, isDigit(text[position]) { throw JSONFault(.invalidNumber, at: position) }
        try append(.number, from: start, to: position)
    }

    private mutating func digits() throws(JSONFault) {
        let start = position
        while position < text.count, isDigit(text[position]) { position += 1 }
        guard position > start else {
            throw JSONFault(position < text.count ? .invalidNumber : .unexpectedEnd, at: position)
        }
    }

    private mutating func string() throws(JSONFault) {
        position += 1
        let start = position
        var isEscaped = false
        while true {
            let byte = try peek()
            switch byte {
            case UInt8(ascii: "\""):
                try append(.string, from: start, to: position, isEscaped: isEscaped)
                position += 1
                return
            case UInt8(ascii: "\\"):
                isEscaped = true
                try escape()
            case 0..<0x20:
                throw JSONFault(.controlCharacter, at: position)
            case 0..<0x80:
                position += 1
            default:
                guard let length = UTF8Scan.sequenceLength(text, at: position) else {
                    throw JSONFault(.invalidUTF8, at: position)
                }
                position += length
            }
        }
    }

    private mutating func escape() throws(JSONFault) {
        let start = position
        position += 1
        switch try peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            try unicodeEscape(from: start)
        default:
            throw JSONFault(.invalidEscape, at: position)
        }
    }

    /// `\uXXXX`, or two of them that form a surrogate pair.
    private mutating func unicodeEscape(from start: Int) throws(JSONFault) {
        guard let unit = UnescapedBytes.hexUnit(text, at: position, before: text.count) else {
            throw JSONFault(.invalidEscape, at: position)
        }
        position += 4
        guard unit & 0xF800 == 0xD800 else { return }
        guard unit & 0xFC00 == 0xD800, text.count - position >= 6, text[position] == UInt8(ascii: "\\"),
            text[position + 1] == UInt8(ascii: "u"),
            let low = UnescapedBytes.hexUnit(text, at: position + 2, before: text.count), low & 0xFC00 == 0xDC00
        else { throw JSONFault(.invalidSurrogate, at: start) }
        position += 6
    }

    // MARK: - Bytes

    private func peek() throws(JSONFault) -> UInt8 {
        guard position < text.count else { throw JSONFault(.unexpectedEnd, at: position) }
        return text[position]
    }

    private mutating func skipSpace() {
        while position < text.count {
            switch text[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
