/// Why a text is no crontab.
package enum CrontabFault: Error, Sendable, Hashable, CustomStringConvertible {
    case tooLong
    /// Not five fields.
    case fieldCount
    /// One field cannot be read; its name.
    case field(String)
    /// The day that it names is in none of its months.
    case neverDue

    package var description: String {
        switch self {
        case .tooLong: "A crontab has at most 128 characters."
        case .fieldCount: "Expected five fields: minute, hour, day of the month, month, day of the week."
        case .field(let name): "The field for the \(name) cannot be read."
        case .neverDue: "There is no such day in these months."
        }
    }
}

extension Crontab {
    /// Reads five fields of numbers, names, `*`, ranges, lists and steps, or a name such as `@daily`; upper and lower case alike.
    ///
    /// Sunday is 0 or 7. A range does not go backwards. `@reboot` is none, since a task belongs to the clock.
    package init(_ text: String) throws(CrontabFault) {
        guard text.utf8.count <= 128 else { throw .tooLong }
        let words = text.split { $0 == " " || $0 == "\t" }.map { $0.lowercased() }
        let written = words.joined(separator: " ")
        let fields = Self.nicknames[written]?.split(separator: " ").map { String($0) } ?? words
        guard fields.count == 5 else { throw .fieldCount }
        self.text = written
        minutes = try Self.read(fields[0], .minute)
        hours = try Self.read(fields[1], .hour)
        days = try Self.read(fields[2], .day)
        months = try Self.read(fields[3], .month)
        weekdays = try Self.read(fields[4], .weekday)
        needsBothDays = fields[2].hasPrefix("*") || fields[4].hasPrefix("*")
        guard canBeDue else { throw .neverDue }
    }

    private static let nicknames = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *",
        "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]

    /// Whether any of its months has any of its days, where the day of the week does not bring days of its own.
    private var canBeDue: Bool {
        guard needsBothDays, let day = days.first(from: 1) else { return true }
        let longest = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...12).contains { months.contains($0) && day <= longest[$0] }
    }

    private struct Field {
        let name: String
        let range: ClosedRange<Int>
        var names: [String] = []

        static var minute: Field { Field(name: "minute", range: 0...59) }
        static var hour: Field { Field(name: "hour", range: 0...23) }
        static var day: Field { Field(name: "day of the month", range: 1...31) }
        static var month: Field {
            Field(
                name: "month", range: 1...12,
                names: ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
        }
        static var weekday: Field {
            Field(name: "day of the week", range: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])
        }

        func number(_ text: Substring) -> Int? {
            if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
                return text.utf8.count <= 2 ? Int(text).flatMap { range.contains($0) ? $0 : nil } : nil
            }
            return text.isEmpty ? nil : names.firstIndex { $0 == text }
        }
    }

    private static func read(_ text: String, _ field: Field) throws(CrontabFault) -> FieldSet {
        var set = FieldSet()
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let numbers = numbers(part, field) else { throw .field(field.name) }
            for number in numbers { set.insert(field.names.first == "sun" ? number % 7 : number) }
        }
        return set
    }

    /// The numbers of one element of a list: `*`, `5`, `1-5`, each with or without `/step`.
    private static func numbers(_ part: Substring, _ field: Field) -> StrideThrough<Int>? {
        let pieces = part.split(separator: "/", omittingEmptySubsequences: false)
        guard pieces.count <= 2, let first = pieces.first else { return nil }
        var step = 1
        if pieces.count == 2 {
            guard pieces[1].utf8.count <= 2, pieces[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let given = Int(pieces[1]),
                given >= 1
            else { return nil }
            step = given
        }
        if first == "*" {
            // The seventh day is the first again: a step must not count it as one more.
            return stride(
                from: field.range.lowerBound, through: field.names.first == "sun" ? 6 : field.range.upperBound, by: step)
        }
        let ends = first.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2, let low = ends.first.flatMap({ field.number($0) }) else { return nil }
        guard ends.count == 2 else {
            // `5/10` means from 5 on, as in most crons.
            return stride(from: low, through: pieces.count == 2 ? field.range.upperBound : low, by: step)
        }
        guard let high = field.number(ends[1]), high >= low else { return nil }
        return stride(from: low, through: high, by: step)
    }
}
