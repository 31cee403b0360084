/// A database among the towns, where accounts are pushed and removed too.
protocol DatabaseTown: Town {
    /// Which of these names it has.
    func present(_ names: [String]) async throws -> Set<String>
    /// Those of whom it would say something else after a restart.
    func unwritten(_ names: [String]) async throws -> Set<String>
}

extension DatabaseTown {
    /// What is committed is kept.
    func unwritten(_ names: [String]) async throws -> Set<String> { [] }

    /// Names as SQL lists them; they have no quotes.
    static func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ",") }
}
