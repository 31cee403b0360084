package import Access
internal import Domain
internal import HTTPServer
internal import JSON
package import Storage

/// Run-time settings: `/api/v1/settings/setting/`, by JumpServer's names where it has them.
package enum SettingsResource {
    /// What can be set, and how it reaches the hot path.
    private enum Key: String, CaseIterable {
        case disableViewSecret = "SECURITY_DISABLE_VIEW_SECRET"
        case notFoundAs404 = "APPLICATION_NOT_FOUND_AS_404"
        case historyLimit = "HISTORY_ACCOUNT_CLEAN_LIMIT"

        var defaultValue: String {
            switch self {
            case .disableViewSecret, .notFoundAs404: "false"
            case .historyLimit: "999"
            }
        }
    }

    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(.get, "/api/v1/settings/setting/", .permission(.viewSetting), "Settings", response: schema) { call in
                try await backend.gate.view(.viewSetting, as: call.principal(), in: .system, from: call.origin) { _ in
                    .init(render(try await stored(backend.database, backend.keyring)))
                }
            },
            Route(
                .patch, "/api/v1/settings/setting/", .permission(.changeSetting), "Change settings", request: schema,
                response: schema
            ) { try await change($0, backend) },
        ]
    }

    private static let schema = Schema(
        "Settings",
        [
            .field(Key.disableViewSecret.rawValue, .boolean, .optional, "Secrets are shown to nobody; applications get null."),
            .field(
                Key.notFoundAs404.rawValue, .boolean, .optional,
                "A fetch of what is not there is 404 instead of JumpServer's 400."),
            .field(
                Key.historyLimit.rawValue, .integer, .optional,
                "How many of the newest versions of a secret are kept, with the current one; those in use stay anyway. 999 keeps all."
            ),
        ])

    /// Takes the stored settings over; at unseal and after each change.
    package static func load(into live: LiveSettings, database: Database, keyring: RowKeeper) async throws {
        let values = try await stored(database, keyring)
        live.hidesSecrets = values[.disableViewSecret] == "true"
        live.answersNotFoundWith404 = values[.notFoundAs404] == "true"
        let limit = values[.historyLimit].flatMap { Int($0) } ?? 999
        live.historyLimit = limit >= 999 ? .max : limit
    }

    /// What is set; a setting without a row was never set, since the ledger would miss one that was taken away.
    private static func stored(_ database: Database, _ keyring: RowKeeper) async throws -> [Key: String] {
        let keys = try keyring.keys()
        return try await database.read { db in
            try keyring.requireAllSettings(on: db)
            return try Key.allCases.reduce(into: [:]) { values, key in
                values[key] = try Settings.get(key.rawValue, on: db).map { try keys.verified($0).value } ?? key.defaultValue
            }
        }
    }

    private static func change(_ call: Call, _ backend: Backend) async throws -> Reply {
        let changes = try call.body { body in
            var changes: [Key: String] = [:]
            for key in [Key.disableViewSecret, .notFoundAs404] {
                if let flag = body.optional(key.rawValue, .bool) { changes[key] = flag ? "true" : "false" }
            }
            if let limit = body.optional(Key.historyLimit.rawValue, .int(1...999)) { changes[.historyLimit] = "\(limit)" }
            _ = try body.finish(true)
            return changes
        }
        let objects = changes.keys.map { AuditObject(kind: "setting", id: $0.rawValue) }.sorted { $0.id < $1.id }
        return try await backend.gate.change(
            .changeSetting, as: call.principal(), in: .system, from: call.origin, objects: objects
        ) { _ in
            let keys = try backend.keyring.keys()
            let request = call.origin.request
            let now = backend.clock.now()
            try await backend.database.write { db in
                for (key, value) in changes {
                    try Settings.put(keys.authenticated(Setting(name: key.rawValue, value: value)), on: db)
                }
                try ChangeMarks.insert(request, at: now, on: db)
            }
            try await load(into: backend.settings, database: backend.database, keyring: backend.keyring)
            return .init(render(try await stored(backend.database, backend.keyring)), objects: objects)
        }
    }

    private static func render(_ values: [Key: String]) -> Reply {
        .object { writer in
            for key in Key.allCases {
                writer.key(key.rawValue)
                writer.raw(Array((values[key] ?? key.defaultValue).utf8))
            }
        }
    }
}
