import CMicrohttpd
import Glibc

/// Writes the heads of answers (RFC 9112), in memory that is used again and again.
struct AnswerHead {
    private var bytes: [UInt8] = []
    /// The line with the date (RFC 9110, 6.6.1), and the second of the monotonic clock that it was made in.
    private var date: [UInt8] = []
    private var second: UInt64 = .max

    /// Calls with the head of a response whose body has a known length.
    mutating func withBytes(of response: borrowing Response, at now: MonotonicTime, _ body: (UnsafeRawBufferPointer) -> Bool)
        -> Bool
    {
        bytes.removeAll(keepingCapacity: true)
        append("HTTP/1.1 ")
        append(decimal: response.status)
        append(" ")
        append(reason: response.status)
        appendDate(now)
        if let type = response.contentType { append("Content-Type: ", type) }
        if case .sensitive = response.body { append("Cache-Control: ", "no-store") }
        for header in response.headers { append(header) }
        if response.status != 204 {
            append("Content-Length: ")
            append(decimal: response.body.count)
            append("\r\n")
        }
        append("\r\n")
        return bytes.withUnsafeBytes(body)
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private mutating func append(_ name: StaticString, _ value: StaticString) {
        append(name)
        append(value)
        append("\r\n")
    }

    /// A value that could end the line is left out with its name.
    private mutating func append(_ header: Response.Header) {
        guard header.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else { return }
        append(header.name)
        append(": ")
        bytes.append(contentsOf: header.value.utf8)
        append("\r\n")
    }

    private mutating func append(decimal number: Int) {
        if number >= 10 { append(decimal: number / 10) }
        bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
    }

    private mutating func append(reason status: Int) {
        if status == 200 { return append("OK\r\n") }
        if let phrase = MHD_get_reason_phrase_for(UInt32(clamping: status)) {
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: phrase, count: strlen(phrase)))
        }
        append("\r\n")
    }

    private mutating func appendDate(_ now: MonotonicTime) {
        let second = now.nanoseconds / 1_000_000_000
        if second != self.second {
            self.second = second
            date = Self.dateLine(time(nil))
        }
        bytes.append(contentsOf: date)
    }

    private static func dateLine(_ moment: time_t) -> [UInt8] {
        var moment = moment
        var parts = tm()
        guard gmtime_r(&moment, &parts) != nil else { return [] }
        let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard days.indices.contains(Int(parts.tm_wday)), months.indices.contains(Int(parts.tm_mon)) else { return [] }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
        return Array("Date: \(day) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT\r\n".utf8)
    }
}

extension Response.Body {
    /// Bytes of the body; zero for a stream, whose length nobody knows.
    var count: Int {
        switch self {
        case .none, .stream: 0
        case .bytes(let bytes): bytes.count
        case .sensitive(let buffer): buffer.count
        case .shared(let bytes): bytes.count
        }
    }
}
