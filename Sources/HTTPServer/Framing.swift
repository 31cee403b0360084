/// What the headers say about the request as a message: checked before any handler sees it.
struct Framing {
    /// Announced bytes; nil without `Content-Length`.
    var length: Int?
    var isChunked = false
    /// Whether the client waits for leave to send the body.
    var expectsContinue = false
    /// Whether the client wants the connection to go on.
    var keepsAlive = true

    var hasBody: Bool { isChunked || (length ?? 0) > 0 }

    /// Why a request is refused for its form; the text goes to the client.
    enum Defect: Error {
        case duplicate
        case length
        case transferEncoding
        case tooManyHeaders
        case name
        case host
        case shape

        var detail: StaticString {
            switch self {
            case .duplicate: "a header that may stand once stands twice"
            case .length: "Content-Length is malformed or contradicts Transfer-Encoding"
            case .transferEncoding: "only the transfer encoding 'chunked' is understood"
            case .tooManyHeaders: "too many header lines"
            case .host: "HTTP/1.1 wants a Host header"
            case .shape: "a line of the head is folded, ends without CR LF, or has a character that none may have"
            case .name: "a header name has a character that none may have"
            }
        }
    }

    /// Of a request whose headers were not understood: nothing of it is used again.
    init() {
        keepsAlive = false
    }

    /// Reads the headers once. What two servers could read differently is refused (RFC 9112, 6.3 and 11.2).
    init(_ headers: borrowing HeaderTable, isHTTP11: Bool) throws(Defect) {
        if headers.overflowed { throw .tooManyHeaders }
        keepsAlive = isHTTP11
        var seen = Seen()
        for index in 0..<headers.count {
            let field = headers[index]
            guard Self.isToken(field.name) else { throw .name }
            switch field.name.count {
            case 4 where field.name.equalsIgnoringCase("Date"): try seen.once(.date)
            case 4 where field.name.equalsIgnoringCase("Host"): try seen.once(.host)
            case 6 where field.name.equalsIgnoringCase("Expect"):
                expectsContinue = field.value.equalsIgnoringCase("100-continue")
            case 8 where field.name.equalsIgnoringCase("X-Source"): try seen.once(.source)
            case 9 where field.name.equalsIgnoringCase("X-JMS-ORG"): try seen.once(.organization)
            case 10 where field.name.equalsIgnoringCase("Connection"):
                if Self.hasToken("close", in: field.value) { keepsAlive = false }
            case 13 where field.name.equalsIgnoringCase("Authorization"): try seen.once(.authorization)
            case 14 where field.name.equalsIgnoringCase("Content-Length"):
                if length != nil { throw .duplicate }
                length = try Self.decimal(field.value)
            case 17 where field.name.equalsIgnoringCase("Transfer-Encoding"):
                guard !isChunked, field.value.equalsIgnoringCase("chunked") else { throw .transferEncoding }
                isChunked = true
            default: break
            }
        }
        if isHTTP11, !seen.contains(.host) { throw .host }
        if isChunked, length != nil || !isHTTP11 { throw .length }
    }

    /// Whether a field name is a token (RFC 9110, 5.6.2): `Content-Length :`, with a blank, means a length to some servers and nothing to others.
    private static func isToken(_ name: UnsafeRawBufferPointer) -> Bool {
        guard !name.isEmpty else { return false }
        for byte in name {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"),
                UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "^"),
                UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
                continue
            default: return false
            }
        }
        return true
    }

    /// Headers that may stand only once.
    private struct Seen: OptionSet {
        let rawValue: UInt8
        static let authorization = Seen(rawValue: 1)
        static let date = Seen(rawValue: 2)
        static let host = Seen(rawValue: 4)
        static let organization = Seen(rawValue: 8)
        static let source = Seen(rawValue: 16)

        mutating func once(_ header: Seen) throws(Defect) {
            guard insert(header).inserted else { throw .duplicate }
        }
    }

    private static func decimal(_ text: UnsafeRawBufferPointer) throws(Defect) -> Int {
        guard (1...18).contains(text.count) else { throw .length }
        var value = 0
        for byte in text {
            guard (0x30...0x39).contains(byte) else { throw .length }
            value = value &* 10 &+ Int(byte &- 0x30)
        }
        return value
    }

    /// Whether a comma-separated list has a token, in either case.
    static func hasToken(_ token: StaticString, in list: UnsafeRawBufferPointer) -> Bool {
        var start = 0
        while start <= list.count {
            var end = start
            while end < list.count, list[end] != 0x2c { end += 1 }
            var first = start
            var last = end
            while first < last, list[first] == 0x20 || list[first] == 0x09 { first += 1 }
            while last > first, list[last - 1] == 0x20 || list[last - 1] == 0x09 { last -= 1 }
            if UnsafeRawBufferPointer(rebasing: list[first..<last]).equalsIgnoringCase(token) { return true }
            start = end + 1
        }
        return false
    }
}
