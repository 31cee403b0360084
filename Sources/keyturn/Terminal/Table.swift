internal import Client
internal import JSON

/// Rows of a list as text in columns.
struct Table {
    /// Field names of the rows; their titles are the same in capitals.
    let columns: [String]

    func say(_ page: ListPage) {
        let titles = columns.map { $0.uppercased().replacing("_", with: " ") }
        let cells = page.rows.map { row in columns.map { PrintableText.of(Self.text(row[$0])) } }
        let widths = columns.indices.map { column in
            ([titles] + cells).map { $0[column].unicodeScalars.count }.max() ?? 0
        }
        for line in [titles] + cells {
            var text = ""
            for (cell, width) in zip(line, widths) {
                text += cell + String(repeating: " ", count: max(width - cell.unicodeScalars.count, 0) + 2)
            }
            while text.last == " " { text.removeLast() }
            Terminal.say(text)
        }
        if page.total > page.rows.count { Terminal.complain("\(page.rows.count) of \(page.total) shown", prefix: "") }
    }

    /// The fields of one thing, a line each.
    static func say(_ value: JSONValue) {
        let members = value.object.map(Array.init) ?? []
        let width = members.map { $0.name.unicodeScalars.count }.max() ?? 0
        for member in members {
            let padding = String(repeating: " ", count: max(width - member.name.unicodeScalars.count, 0) + 2)
            Terminal.say(PrintableText.of(member.name) + padding + PrintableText.of(text(member.value)))
        }
    }

    /// A value as people read it: what choices and related things are called, yes and no, lists with commas.
    static func text(_ value: JSONValue?) -> String {
        guard let value, !value.isNull else { return "-" }
        if let text = value.string { return text }
        if let bool = value.bool { return bool ? "yes" : "no" }
        if let elements = value.array { return elements.map { text($0) }.joined(separator: ", ") }
        if value.kind == .object {
            if let port = value["port"], let name = value["name"] { return text(name) + ":" + text(port) }
            if let known = value["name"] ?? value["value"] { return text(known) }
        }
        return value.withRawText { String(decoding: $0, as: UTF8.self) }
    }
}
