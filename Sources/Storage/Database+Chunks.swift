extension Database {
    /// Runs the closure for each item in as many short transactions as it takes, letting other writers in between them.
    ///
    /// A transaction ends after `limit` items or when it has worked for `budget`. When the closure throws, that transaction's
    /// items are undone and the earlier ones stay; a closure that wants to go on after an item's failure catches it around an
    /// inner `transaction`.
    @discardableResult
    package func writeInChunks<Item: Sendable, Value: Sendable>(
        of items: [Item], limit: Int = 1000, budget: Duration = .milliseconds(15),
        _ body: @escaping @Sendable (any SQLConnection, Item) throws -> Value
    ) async throws -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(items.count)
        while values.count < items.count {
            let rest = items[values.count..<min(items.count, values.count + min(max(1, limit), items.count))]
            values += try await write { connection in
                let start = ContinuousClock.now
                var done: [Value] = []
                for item in rest {
                    done.append(try body(connection, item))
                    if ContinuousClock.now - start >= budget { break }
                }
                return done
            }
        }
        return values
    }

    /// Runs a small step again and again until it returns false, in as many short transactions as it takes.
    package func writeInSteps(
        budget: Duration = .milliseconds(15), _ step: @escaping @Sendable (any SQLConnection) throws -> Bool
    ) async throws {
        var goesOn = true
        while goesOn {
            goesOn = try await write { connection in
                let start = ContinuousClock.now
                while try step(connection) {
                    if ContinuousClock.now - start >= budget { return true }
                }
                return false
            }
        }
    }
}
