internal import Access
internal import Cryptography
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
internal import Vault

/// Plaintext for people: `/api/v1/accounts/account-secrets/`. Each reveal and each refusal is written down with the version.
package enum AccountSecretsResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(
                .get, "/api/v1/accounts/account-secrets/{id}/", .permission(.revealAccount),
                "An account's secret, to users who confirmed lately who they are", response: schema
            ) { try await reveal($0, backend) },
            Route(
                .get, "/api/v1/accounts/account-secrets/{id}/histories/", .permission(.revealAccount),
                "Earlier secrets of an account, newest first", response: history, style: .list
            ) { try await histories($0, backend) },
        ]
    }

    private static let schema = Schema(
        "AccountSecret",
        [
            .field("id", .uuid, .readOnly), .field("name", .text(max: 128), .readOnly),
            .field("username", .text(max: 128), .readOnly),
            .field("asset", .related, .readOnly), .field("secret_type", .choice(SecretType.allCases.map(\.rawValue)), .readOnly),
            .field("secret", .text(max: 40_960), .readOnly, "Null where the account has none."),
            .field("version", .integer, .readOnly),
        ])
    private static let history = Schema(
        "AccountSecretVersion",
        [
            .field("id", .uuid, .readOnly), .field("secret", .text(max: 40_960), .readOnly),
            .field("secret_type", .choice(SecretType.allCases.map(\.rawValue)), .readOnly),
            .field("version", .integer, .readOnly),
            .field("history_date", .dateTime, .readOnly), .field("history_user", .text(max: 128), .readOnly),
        ])

    /// A secret on its way from the reading thread to the answer.
    private struct Opened: Sendable {
        let secret: SecretHandoff?
        let version: SecretVersion
    }
}

// MARK: - The current secret

extension AccountSecretsResource {
    private static func reveal(_ call: Call, _ backend: Backend) async throws -> Reply {
        try await guarded(call, backend) { account, view, permit in
            guard let current = account.stages.current else { return .init(try reply(view, version: nil, nil)) }
            if backend.settings.hidesSecrets { return try hidden(reply(view, version: current, nil, isRedacted: true), current) }
            let warrant = permit.warrant()
            let secret = try await backend.database.read { db in
                try backend.secrets.reveal(version: current, of: account, by: warrant, in: db).handoff
            }
            return .init(try reply(view, version: current, secret), objects: [view.object], version: current)
        }
    }

    /// Finds the account, names it for the audit, asks for a fresh confirmation, and then lets the act go on.
    private static func guarded(
        _ call: Call, _ backend: Backend,
        _ act: (Account, AccountView, borrowing Permit) async throws -> Gate.Outcome<Reply>
    ) async throws -> Reply {
        let id: AccountID = try call.id()
        let organization = call.organization
        return try await backend.gate.view(
            .revealAccount, as: call.principal(), in: organization, from: call.origin,
            objects: [AuditObject(kind: "account", id: id.description)]
        ) { permit in
            let view = try await backend.read { try AccountView.stored(id, in: organization, $0) }
            let account = view.account
            permit.concerns([view.object], version: account.stages.current)
            guard permit.principal.isConfirmed(at: backend.clock.now()) else { throw Refusal.confirmationRequired("password") }
            return try await act(account, view, permit)
        }
    }

    private static func hidden(_ reply: Reply, _ version: Int64?) -> Gate.Outcome<Reply> {
        .init(reply, version: version, reason: "redacted: secrets are shown to nobody")
    }

    private static func reply(
        _ view: AccountView, version: Int64?, _ secret: SecretHandoff?, isRedacted: Bool = false
    ) throws(Refusal) -> Reply {
        try SecretAnswer.one { (writer) throws(Refusal) in
            writer.field("id", view.account.id)
            writer.field("name", view.account.name)
            writer.field("username", view.account.username)
            writer.object("asset") {
                $0.field("id", view.account.asset)
                $0.field("name", view.asset.name)
                $0.field("address", view.asset.address)
            }
            writer.choice("secret_type", value: view.account.secretType.rawValue, label: view.account.secretType.label)
            try SecretAnswer.write("secret", secret, isRedacted: isRedacted, to: &writer)
            writer.field("version", version)
        }
    }
}

// MARK: - Earlier secrets

extension AccountSecretsResource {
    private static func histories(_ call: Call, _ backend: Backend) async throws -> Reply {
        try await guarded(call, backend) { account, view, permit in
            let page = try Page(call.query)
            var request = try ListRequest<SecretVersionField>(call, page)
            request.limit = min(request.limit, Int64(SecretAnswer.largest))
            let wanted = request
            let warrant = permit.warrant()
            let hides = backend.settings.hidesSecrets
            let (rows, total) = try await backend.database.read { db in
                // But for the current one, which the secret itself shows.
                let found = try SecretVersions.list(
                    wanted, of: account.id, without: account.stages.current, in: account.organization, on: db)
                try page.requireWhole(ofSecrets: found.total)
                let opened = try found.rows.map { version in
                    let reveals = {
                        try backend.secrets.reveal(version: version.number, of: account, by: warrant, in: db).handoff
                    }
                    return Opened(secret: hides ? nil : try reveals(), version: version)
                }
                return (opened, Int(clamping: found.total))
            }
            let reply = try SecretAnswer.list(rows, total: total, page: page, call: call) {
                (row, writer) throws(Refusal) in try write(row, to: &writer)
            }
            if hides { return hidden(reply, nil) }
            let numbers = AuditObject(kind: "secret_versions", id: Self.ranges(rows.map(\.version.number)))
            return .init(reply, objects: [view.object, numbers])
        }
    }

    private static func write(_ row: Opened, to writer: inout SecretAnswer.Writer) throws(Refusal) {
        writer.field("id", row.version.account)
        try SecretAnswer.write("secret", row.secret, isRedacted: row.secret == nil, to: &writer)
        writer.choice("secret_type", value: row.version.secretType.rawValue, label: row.version.secretType.label)
        writer.field("version", row.version.number)
        writer.field("history_date", row.version.dateCreated)
        writer.field("history_user", row.version.createdBy)
    }

    /// Numbers as a short text: `9-7,3`, in whatever order they come.
    package static func ranges(_ numbers: [Int64]) -> String {
        var parts: [(first: Int64, last: Int64)] = []
        for number in numbers.sorted(by: >) {
            if let open = parts.last, open.last == number + 1 {
                parts[parts.count - 1].last = number
            } else {
                parts.append((number, number))
            }
        }
        return parts.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ",")
    }
}
