extension Migration {
    /// Organizations, assets, accounts and their secrets, applications, users, settings and keys.
    static let m0001 = Migration(1, "backbone", [])
}
