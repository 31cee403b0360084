internal import Access
internal import Cryptography
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
internal import Vault

/// The old and the new secret of a record, by the same path as every other secret of an account.
struct RecordSecret: Sendable {
    let backend: Backend
    let paths: AutomationPaths
    let call: Call

    static let schema = Schema(
        "RecordSecret",
        [
            .field("id", .uuid, .readOnly), .field("old_secret", .text(max: 40_960), .readOnly),
            .field("old_version", .integer, .readOnly), .field("new_secret", .text(max: 40_960), .readOnly),
            .field("new_version", .integer, .readOnly),
        ])

    private struct Opened: Sendable {
        let old: SecretHandoff?
        let new: SecretHandoff?
    }

    func reveal() async throws -> Reply {
        let id: RecordID = try call.id()
        let (organization, resource) = (call.organization, RecordsResource(backend: backend, paths: paths))
        return try await backend.gate.view(
            .revealAccount, as: call.principal(), in: organization, from: call.origin, objects: [RecordsResource.object(id)]
        ) { permit in
            let (record, account) = try await backend.read { transaction in
                let record = try resource.stored(id, in: organization, transaction)
                let row = try record.account.flatMap { try Accounts.get($0, in: organization, on: transaction.db) }
                return (record, try row.map { try transaction.keys.verified($0) })
            }
            let objects = [AuditObject(record)] + (account.map { [AuditObject($0)] } ?? [])
            permit.concerns(objects, version: record.newVersion)
            guard permit.principal.isConfirmed(at: backend.clock.now()) else { throw Refusal.confirmationRequired("password") }
            if backend.settings.hidesSecrets {
                let reply = try reply(record, Opened(old: nil, new: nil), isRedacted: true)
                return .init(reply, objects: objects, reason: "redacted: secrets are shown to nobody")
            }
            let warrant = permit.warrant()
            let opened = try await backend.database.read { db in
                Opened(
                    old: try open(record.oldVersion, of: account, by: warrant, db),
                    new: try open(record.newVersion, of: account, by: warrant, db))
            }
            return .init(try reply(record, opened, isRedacted: false), objects: objects, version: record.newVersion)
        }
    }

    /// Nil where there is no such version any more.
    private func open(
        _ version: Int64?, of account: Account?, by warrant: Warrant, _ db: any SQLConnection
    ) throws -> SecretHandoff? {
        guard let version, let account else { return nil }
        do {
            return try backend.secrets.reveal(version: version, of: account, by: warrant, in: db).handoff
        } catch Refusal.notFound {
            return nil
        }
    }

    private func reply(_ record: Record, _ opened: Opened, isRedacted: Bool) throws(Refusal) -> Reply {
        try SecretAnswer.one { (writer) throws(Refusal) in
            writer.field("id", record.id)
            try SecretAnswer.write("old_secret", opened.old, isRedacted: isRedacted && record.oldVersion != nil, to: &writer)
            writer.field("old_version", record.oldVersion)
            try SecretAnswer.write("new_secret", opened.new, isRedacted: isRedacted && record.newVersion != nil, to: &writer)
            writer.field("new_version", record.newVersion)
        }
    }
}
