import Foundation
import Synchronization

/// What was hit and what came of it, over all tests of a run: printed, and written where `KEYTURN_CRASH_TABLE` says.
final class CrashTable: Sendable {
    static let shared = CrashTable()

    /// One kind of accident.
    struct Row: Sendable {
        let accident: String
        /// Changes that it hit, by platform.
        var hits: [String: Int] = [:]
        /// Accounts whose live secret Keyturn did not serve afterwards.
        var lost = 0
        /// Accounts whose change was still in doubt when the time was over.
        var left = 0
        /// Of one account, at its target.
        var mostRejections = 0

        init(_ accident: String) { self.accident = accident }

        /// Of the platform with the fewest.
        var fewest: Int { Towns.here.map { hits[$0.platform] ?? 0 }.min() ?? 0 }
    }

    private let rows = Mutex<[Row]>([])

    func add(_ row: Row) throws {
        let text = rows.withLock { rows in
            rows.append(row)
            return Self.text(rows)
        }
        print(Self.line(row))
        guard let path = ProcessInfo.processInfo.environment["KEYTURN_CRASH_TABLE"] else { return }
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    private static func text(_ rows: [Row]) -> String {
        let platforms = Towns.all.map { $0.platform }
        let head = ["hit"] + platforms + ["lost", "left for a human", "most rejected logins of an account"]
        let lines = [line(head), line(head.map { _ in "---" })] + rows.map(line) + [line(sum(of: rows))]
        return lines.map { $0 + "\n" }.joined() + Towns.missing.map { "\n\($0)\n" }.joined()
    }

    private static func line(_ row: Row) -> String {
        let hits = Towns.all.map { $0.obstacle == nil ? "\(row.hits[$0.platform] ?? 0)" : "skipped" }
        return line([row.accident] + hits + ["\(row.lost)", "\(row.left)", "\(row.mostRejections)"])
    }

    private static func line(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

    private static func sum(of rows: [Row]) -> Row {
        var sum = Row("all")
        for row in rows {
            sum.hits.merge(row.hits, uniquingKeysWith: +)
            sum.lost += row.lost
            sum.left += row.left
            sum.mostRejections = max(sum.mostRejections, row.mostRejections)
        }
        return sum
    }
}
