internal import Glibc
internal import JSON
internal import Logging

/// One line of the log, before it has a format.
struct LogLine {
    let time: timespec
    let level: Logger.Level
    let label: String
    let message: String
    let metadata: [(String, String)]

    /// Without the line feed; values are cut so that the line stays near the limit and whole.
    func bytes(_ format: LogFormat, limit: Int) -> [UInt8] {
        switch format {
        case .text: text(limit)
        case .json: json(limit)
        }
    }

    private func text(_ limit: Int) -> [UInt8] {
        var out = Array("\(moment) \(level.rawValue.uppercased()) \(label): ".utf8)
        out += Self.visible(Self.cut(message, limit / 2))
        for (name, value) in metadata {
            guard out.count < limit else { break }
            out += Array(" ".utf8) + Self.visible(Self.cut(name, 64)) + Array("=".utf8) + Self.visible(Self.cut(value, limit / 4))
        }
        return out
    }

    private func json(_ limit: Int) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.field("time", moment)
        writer.field("level", level.rawValue)
        writer.field("logger", label)
        writer.field("message", Self.cut(message, limit / 2))
        let reserved: Set = ["time", "level", "logger", "message"]
        for (name, value) in metadata {
            guard writer.bytes.count < limit else { break }
            let name = Self.cut(name, 64)
            writer.field(reserved.contains(name) ? name + "_" : name, Self.cut(value, limit / 4))
        }
        writer.endObject()
        return writer.bytes
    }

    /// RFC 3339 in UTC, with milliseconds.
    private var moment: String {
        var seconds = time.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let milliseconds = String(time.tv_nsec / 1_000_000)
        let fraction = String(repeating: "0", count: max(0, 3 - milliseconds.utf8.count)) + milliseconds
        let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(date)T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(fraction)Z"
    }

    private static func cut(_ text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        return String(decoding: text.utf8.prefix(limit), as: UTF8.self) + "…"
    }

    /// Control characters escaped, so that no text makes a second line or commands the reader's terminal.
    private static func visible(_ text: String) -> [UInt8] {
        var out: [UInt8] = []
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": out += Array("\\n".utf8)
            case "\r": out += Array("\\r".utf8)
            case "\t": out += Array("\\t".utf8)
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                out += Array("\\x{\(String(scalar.value, radix: 16))}".utf8)
            default: out += Array(String(scalar).utf8)
            }
        }
        return out
    }
}
