internal import Glibc
internal import JSON

extension Terminal {
    /// One line on standard output.
    static func say(_ text: String) { write(text + "\n") }

    /// One line on standard error.
    static func complain(_ text: String, prefix: String = "keyturnd: ") {
        let line = Array((prefix + text + "\n").utf8)
        var sent = 0
        while sent < line.count {
            let count = line[sent...].withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// A result: as one line of JSON for scripts, or a line for each of its members.
    static func report(_ result: JSONValue, json: Bool) {
        guard json else {
            return lines(of: result).forEach { say($0.name + String(repeating: " ", count: $0.padding) + $0.text) }
        }
        say(result.withRawText { String(decoding: $0, as: UTF8.self) })
    }

    /// As above, for a result that is made here.
    static func report(json: Bool, _ write: (inout JSONWriter<[UInt8]>) -> Void) throws {
        var writer = JSONWriter()
        writer.object { write(&$0) }
        report(try JSONDocument.parse(writer.bytes), json: json)
    }

    private static func lines(of result: JSONValue) -> [(name: String, padding: Int, text: String)] {
        var fields: [(String, String)] = []
        for member in result.object.map(Array.init) ?? [] {
            let name = words(member.name)
            guard let inner = member.value.object else {
                fields.append((name, text(member.value)))
                continue
            }
            for part in inner { fields.append((name + " " + words(part.name), text(part.value))) }
        }
        let width = fields.map { $0.0.unicodeScalars.count }.max() ?? 0
        return fields.map { ($0.0, width - $0.0.unicodeScalars.count + 2, $0.1) }
    }

    private static func words(_ name: String) -> String { name.replacing("_", with: " ") }

    private static func text(_ value: JSONValue) -> String {
        if value.isNull { return "-" }
        if let bool = value.bool { return bool ? "yes" : "no" }
        if let elements = value.array {
            let texts = elements.map(text)
            return texts.isEmpty ? "-" : texts.joined(separator: " ")
        }
        return value.string.map(printable) ?? value.withRawText { String(decoding: $0, as: UTF8.self) }
    }

    /// Without control characters, which could command the terminal.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "?" : $0 }))
    }
}
