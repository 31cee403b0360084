internal import Access
internal import Domain
internal import Storage

/// Many accounts at once, a chunk in each short transaction, with an audit entry that names all of it.
struct AccountBatch: Sendable {
    /// An account to be made, with the id that it will have.
    struct New: Sendable {
        let id: AccountID
        let input: AccountInput
        /// The private key, once it was unlocked.
        private(set) var key: PrivateKeyInput.Unlocked?

        init(_ input: AccountInput) {
            id = .random()
            self.input = input
        }

        func unlocked() async -> New {
            var new = self
            new.key = await input.unlocked()
            return new
        }

        var object: AuditObject {
            AuditObject(kind: "account", id: id.description, name: "\(input.name ?? input.username)(\(input.username))")
        }
    }

    let backend: Backend
    let call: Call

    /// Creates the accounts in order. When one is refused its chunk is undone, the earlier ones stay, and the refusal says so.
    func create(_ items: [New]) async throws {
        try await run(.createAccount, items, object: \.object, prepare: { await $0.unlocked() }) { change, db, item in
            _ = try change.create(item.input, item.key, as: item.id, in: db)
        }
    }

    /// Takes the secrets of these accounts away.
    func clear(_ ids: [AccountID]) async throws {
        let object = { (id: AccountID) in AuditObject(kind: "account", id: id.description) }
        try await run(.changeAccount, ids, object: object, prepare: { $0 }) { change, db, id in
            do {
                try change.clear(id, in: db)
            } catch Refusal.notFound {
                throw Refusal.invalid("account_ids", "There is no such account.")
            }
        }
    }

    /// - Parameter prepare: what an item needs done before the transaction.
    private func run<Item: Sendable>(
        _ permission: Permission, _ items: [Item], object: (Item) -> AuditObject, prepare: (Item) async -> Item,
        _ act: @escaping @Sendable (AccountChange, any SQLConnection, Item) throws -> Void
    ) async throws {
        var pace = Pace(backend.audit)
        for start in stride(from: 0, to: items.count, by: Bulk.chunk) {
            if start > 0 { await pace.rest() }
            let chunk = Array(items[start..<min(items.count, start + Bulk.chunk)])
            let objects = chunk.map(object)
            try await backend.gate.change(
                permission, as: call.principal(), in: call.organization, from: call.origin.part(start / Bulk.chunk),
                objects: objects
            ) { permit in
                let change = AccountChange(backend, permit.warrant())
                var prepared: [Item] = []
                for item in chunk { prepared.append(await prepare(item)) }
                let ready = prepared
                try await backend.database.write { db in
                    try change.mark(db)
                    for (place, item) in ready.enumerated() {
                        do {
                            try act(change, db, item)
                        } catch Refusal.invalid(let fields) {
                            throw Refusal.invalid(Bulk.messages(fields, of: start + place, made: start))
                        }
                    }
                }
                return .init((), objects: objects)
            }
        }
    }
}
