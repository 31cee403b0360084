import Foundation
import Synchronization

/// What was hit and what came of it, over all tests of a run: printed, and written into the directory `KEYTURN_CRASH_TABLES`, from where
/// `make crash` takes it into `docs/reliability.md`.
final class CrashTable: Sendable {
    /// Password changes on every platform.
    static let changes = CrashTable("changes", columns: Towns.all.map { Column($0.platform, isMissing: $0.obstacle != nil) })
    /// The same when the disk is full.
    static let disk = CrashTable("disk", columns: Towns.all.map { Column($0.platform, isMissing: $0.obstacle != nil) })
    /// All other work on hosts.
    static let hosts = CrashTable("hosts", columns: HostSite.columns.map { Column($0, isMissing: false) })
    /// Pushes and removals on databases.
    static let databases = CrashTable("databases", columns: DatabaseSite.columns.map { Column($0, isMissing: false) })

    /// What can be hit.
    struct Column: Sendable {
        let title: String
        /// Whether this machine cannot have it.
        let isMissing: Bool

        init(_ title: String, isMissing: Bool) {
            self.title = title
            self.isMissing = isMissing
        }
    }

    /// One kind of accident.
    struct Row: Sendable {
        let accident: String
        /// The columns that it can hit.
        let columns: [String]
        /// Changes that it hit, by column.
        var hits: [String: Int] = [:]
        /// Accounts whose live secret Keyturn did not hold afterwards.
        var lost = 0
        /// Accounts whose change was still in doubt when the time was over.
        var left = 0
        /// Of one account, at its target.
        var mostRejections = 0

        init(_ accident: String, columns: [String] = Towns.here.map { $0.platform }) {
            self.accident = accident
            self.columns = columns
        }

        /// Of the column with the fewest.
        var fewest: Int { columns.map { hits[$0] ?? 0 }.min() ?? 0 }
    }

    private let name: String
    private let columns: [Column]
    private let rows = Mutex<[Row]>([])

    private init(_ name: String, columns: [Column]) {
        self.name = name
        self.columns = columns
    }

    func add(_ row: Row) throws {
        let text = rows.withLock { rows in
            rows.append(row)
            return self.text(rows)
        }
        print(line(row))
        try Self.publish(text, as: name)
    }

    /// Puts a table where `make crash` finds it.
    static func publish(_ text: String, as name: String) throws {
        guard let directory = ProcessInfo.processInfo.environment["KEYTURN_CRASH_TABLES"] else { return }
        try text.write(toFile: "\(directory)/\(name).md", atomically: true, encoding: .utf8)
    }

    private func text(_ rows: [Row]) -> String {
        let head =
            ["hit (changes)"] + columns.map(\.title) + ["lost", "left for a human", "most rejected logins of an account"]
        let lines = [Self.line(head), Self.line(head.map { _ in "---" })] + rows.map(line) + [line(sum(of: rows))]
        let isWhole = columns.allSatisfy { !$0.isMissing }
        return lines.map { $0 + "\n" }.joined() + (isWhole ? "" : Towns.missing.map { "\n\($0)\n" }.joined())
    }

    private func line(_ row: Row) -> String {
        let hits = columns.map { column in
            if column.isMissing { return "skipped" }
            return row.columns.contains(column.title) ? "\(row.hits[column.title] ?? 0)" : "–"
        }
        return Self.line([row.accident] + hits + ["\(row.lost)", "\(row.left)", "\(row.mostRejections)"])
    }

    static func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

    private func sum(of rows: [Row]) -> Row {
        var sum = Row("all", columns: columns.map(\.title))
        for row in rows {
            sum.hits.merge(row.hits, uniquingKeysWith: +)
            sum.lost += row.lost
            sum.left += row.left
            sum.mostRejections = max(sum.mostRejections, row.mostRejections)
        }
        return sum
    }
}
