extension Migration {
    /// The ledger of rows. It stays empty until somebody who has the keys counts what is there.
    static let m0002 = Migration(
        2, "row ledger",
        [
            "CREATE TABLE row_ledger (id $integer NOT NULL PRIMARY KEY, generation $integer NOT NULL, sealed $bytes NOT NULL) $table"
        ])
}
