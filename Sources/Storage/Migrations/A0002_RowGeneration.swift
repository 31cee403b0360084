extension Migration {
    /// Checkpoints say which generation the vault's rows had.
    static let a0002 = Migration(
        2, "row generation", ["ALTER TABLE audit_checkpoints ADD COLUMN rows_generation $integer"])
}
