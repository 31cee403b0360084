/// A database among the towns.
protocol DatabaseTown: Town {}

extension DatabaseTown {
    /// Names as SQL lists them; they have no quotes.
    static func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ",") }
}
