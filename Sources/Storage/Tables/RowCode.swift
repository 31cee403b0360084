/// A new authentication code for a row that otherwise stays as it is.
package struct RowCode: Sendable {
    /// The row's id as the ledger names it.
    package let id: [UInt8]
    package let former: [UInt8]
    package let new: [UInt8]

    package init(id: [UInt8], former: [UInt8], new: [UInt8]) {
        self.id = id
        self.former = former
        self.new = new
    }

    /// Stores the codes of rows of one kind; a row whose code is not the former one any more is left alone.
    package static func replace(_ codes: [RowCode], of kind: String, on connection: any SQLConnection) throws {
        guard let table = WatchedTable.all.first(where: { $0.kind == kind && $0.isAuthenticated }) else {
            throw StorageFault.statement("rows of kind \(kind) have no codes")
        }
        for code in codes { try connection.execute(table.replacement(of: code)) }
    }
}
