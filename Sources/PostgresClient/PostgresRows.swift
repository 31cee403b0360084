/// The answer to a statement: few rows, as text.
package struct PostgresRows: Sendable, Hashable {
    package let columns: [String]
    package let rows: [[String?]]

    /// The value of a column in a row; nil for NULL, and for a row or a column that is not there.
    package func value(_ column: String, row: Int = 0) -> String? {
        guard rows.indices.contains(row), let index = columns.firstIndex(of: column), rows[row].indices.contains(index) else {
            return nil
        }
        return rows[row][index]
    }

    package var isEmpty: Bool { rows.isEmpty }
}
