extension Migration {
    /// The audit's own database, in order.
    package static let audit: [Migration] = [.a0001, .a0002, .a0003]
}
