extension Migration {
    /// From here on bodies may be stored packed (`PackedBody`), which an older program cannot read; what is there stays as it is.
    static let a0003 = Migration(3, "packed bodies", [])
}
