internal import Access
internal import Domain
internal import Storage

/// What one transaction of the admin surface works with: the connection, the keys that its rows are checked and authenticated with, the time.
///
/// A row that is changed is verified first and authenticated anew afterwards, so that nobody's forged row ever gets a good code.
struct Transaction {
    let db: any SQLConnection
    let keys: RowKeys
    let now: Timestamp

    func organizationName(_ id: OrganizationID) throws -> String {
        try keys.verified(Organizations.get(id, on: db)).name
    }

    /// Runs a write; that the value of a field is taken already becomes a message at that field.
    func unique<Value>(_ field: String, _ write: () throws -> Value) throws -> Value {
        do {
            return try write()
        } catch StorageFault.constraint(.unique, _) {
            throw Refusal.invalid(field, "This field must be unique.")
        }
    }
}

/// A page of a list without the rows of it that are damaged.
struct SoundPage<Row: Sendable>: Sendable {
    let rows: [Row]
    /// Of all pages, damaged ones too.
    let total: Int64
    let damaged: [DamagedRow]
}

extension Backend {
    /// What a transaction works with that was begun without one of these.
    func transaction(_ db: any SQLConnection) throws -> Transaction {
        Transaction(db: db, keys: try keyring.keys(), now: clock.now())
    }

    /// Reads in one transaction under a permit; what is returned has been written down before.
    ///
    /// - Parameter naming: what the entry names, once it was read; `objects` alone where the read is refused.
    func view<Value: Sendable>(
        _ permission: Permission, _ call: Call, in organization: OrganizationID? = nil, objects: [AuditObject] = [],
        naming: (Value) -> [AuditObject] = { _ in [] }, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await gate.view(
            permission, as: call.principal(), in: organization ?? call.organization, from: call.origin, objects: objects
        ) { _ in
            let value = try await read(body)
            let named = naming(value)
            return .init(value, objects: named.isEmpty ? objects : named)
        }
    }

    /// Reads a list whose damaged rows are left out, so that they keep nobody from seeing the others: the entry names them, and the answer has
    /// to count them. A bare array can say of nothing that it is missing, and is refused.
    func viewSound<Row: Sendable>(
        _ permission: Permission, _ call: Call, _ page: Page, _ body: @escaping @Sendable (Transaction) throws -> SoundPage<Row>
    ) async throws -> SoundPage<Row> {
        try await gate.view(permission, as: call.principal(), in: call.organization, from: call.origin) { _ in
            let found = try await read(body)
            guard !found.damaged.isEmpty else { return .init(found) }
            let names = found.damaged.prefix(5).map { "\($0.name) (\($0.what))" }.joined(separator: ", ")
            guard page.limit != nil else { throw Refusal.integrity(names) }
            return .init(found, reason: "left out \(found.damaged.count) damaged rows: " + names)
        }
    }

    /// Changes in one transaction under a permit, with the mark that tells after a crash that the change was made.
    func change<Value: Sendable>(
        _ permission: Permission, _ call: Call, in organization: OrganizationID? = nil, objects: [AuditObject],
        naming: (Value) -> [AuditObject] = { _ in [] }, _ body: @escaping @Sendable (Transaction) throws -> Value,
        then follow: (Value) async throws -> Void = { _ in }
    ) async throws -> Value {
        try await gate.change(
            permission, as: call.principal(), in: organization ?? call.organization, from: call.origin, objects: objects
        ) { _ in
            let value = try await write(marking: call.origin.request, body)
            try await follow(value)
            let named = naming(value)
            return .init(value, objects: named.isEmpty ? objects : named)
        }
    }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        let keys = try keyring.keys()
        let now = clock.now()
        return try await database.read { db in
            try body(Transaction(db: db, keys: keys, now: now))
        }
    }

    func write<Value: Sendable>(
        marking request: RequestID, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        let keys = try keyring.keys()
        let now = clock.now()
        return try await database.write { db in
            let value = try body(Transaction(db: db, keys: keys, now: now))
            try ChangeMarks.insert(request, at: now, on: db)
            return value
        }
    }
}
