internal import Domain
internal import JSON
internal import Storage

/// Many accounts at once, in short transactions, so that nobody waits long for the writer.
struct AccountBatch: Sendable {
    let change: AccountChange
    let database: Database

    /// Creates an account for each object and returns their ids in the same order.
    ///
    /// Fields that are wrong are named with the place of their account, `3.username`. If any is wrong, what was created is deleted again.
    func create(_ items: [JSONValue]) async throws -> [AccountID] {
        var created: [AccountID] = []
        var faults: [String: [String]] = [:]
        do {
            for start in stride(from: 0, to: items.count, by: Self.step) {
                let part = Array(items[start..<min(start + Self.step, items.count)])
                for (place, made) in try await chunk(part).enumerated() {
                    switch made {
                    case .success(let id): created.append(id)
                    case .failure(let fields): faults.merge(fields.placed(at: start + place)) { $0 + $1 }
                    }
                }
                guard faults.count < 20 else { break }
            }
        } catch {
            try await withdraw(created)
            throw error
        }
        guard faults.isEmpty else {
            try await withdraw(created)
            throw Refusal.invalid(faults)
        }
        return created
    }

    private func chunk(_ items: [JSONValue]) async throws -> [Swift.Result<AccountID, FieldFaults>] {
        try await database.writeInChunks(of: items) { [change] db, item in
            do {
                let id = try db.transaction { try change.create(item, in: db) }
                try change.mark(db)
                return .success(id)
            } catch Refusal.invalid(let fields) {
                return .failure(FieldFaults(fields: fields))
            }
        }
    }

    /// Deletes what nobody has been told of.
    private func withdraw(_ ids: [AccountID]) async throws {
        try await database.writeInChunks(of: ids) { [change] db, id in try change.delete(id, in: db) }
    }

    /// Takes the secrets of all these accounts away; one that is not there is a refusal before anything changes.
    func clear(_ ids: [AccountID]) async throws {
        try await database.read { [change] db in
            for id in ids { _ = try change.verified(id, db) }
        }
        try await database.writeInChunks(of: ids) { [change] db, id in
            try change.clear(id, in: db)
            try change.mark(db)
        }
    }

    /// Between steps it is looked whether so much is wrong already that the rest need not be tried.
    private static let step = 200
}

/// What is wrong with one of many objects.
private struct FieldFaults: Error {
    let fields: [String: [String]]

    func placed(at index: Int) -> [String: [String]] {
        Dictionary(uniqueKeysWithValues: fields.map { ("\(index).\($0.key)", $0.value) })
    }
}
