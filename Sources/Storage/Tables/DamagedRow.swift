/// A row that cannot be read, for it is not what can have been written.
package struct DamagedRow: Error, Sendable, Hashable {
    /// The bytes of its id, whatever they are.
    package let id: [UInt8]
    /// Where the damage is.
    package let what: String

    package init(id: [UInt8], what: String) {
        self.id = id
        self.what = what
    }

    /// The id as others write it, also where it is none.
    package var name: String {
        id.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
    }
}

/// A row, or what is left of one that cannot be read.
package typealias FoundRow<Value> = Result<Value, DamagedRow>

/// A page of rows, with where the next one begins; nil at the end.
package struct FoundPage<Value, PagePlace> {
    package let rows: [FoundRow<Value>]
    package let next: PagePlace?
}

extension FoundPage: Sendable where Value: Sendable, PagePlace: Sendable {}

extension SQLConnection {
    /// Every row of a composed statement, each decoded by itself: one that cannot be read takes none of the others with it.
    ///
    /// - Parameters:
    ///   - id: the column of the row's id.
    ///   - place: where a row stands among the others; it reads nothing that a damaged row may lack.
    func found<Value, PagePlace>(
        _ query: SQLQuery, id: Int, limit: Int64, at place: (borrowing SQLRow) throws -> PagePlace,
        _ decode: (borrowing SQLRow) throws -> Value
    ) throws -> FoundPage<Value, PagePlace> {
        var last: PagePlace?
        let rows = try self.query(query) { row -> FoundRow<Value> in
            last = try place(row)
            do {
                return .success(try decode(row))
            } catch StorageFault.corrupt(let what) {
                return .failure(DamagedRow(id: try row.blob(id), what: what))
            }
        }
        return FoundPage(rows: rows, next: rows.count == Int(limit) ? last : nil)
    }

    /// The same without pages.
    func found<Value>(
        _ query: SQLQuery, id: Int, _ decode: (borrowing SQLRow) throws -> Value
    ) throws -> [FoundRow<Value>] {
        try found(query, id: id, limit: .max, at: { _ in }, decode).rows
    }
}
