package import JSON

/// What a task does; where its kind is kept, with its executions and records.
package enum TaskKind: String, CaseIterable, Sendable {
    case push, change, verify, remove

    /// Part of the paths: `push-account`.
    private var path: String {
        switch self {
        case .push: "push-account"
        case .change: "change-secret"
        case .verify: "verify-account"
        case .remove: "remove-account"
        }
    }

    package var tasks: Resource { Resource("/api/v1/accounts/\(path)-automations/", "\(rawValue) task") }
    package var executions: Resource { Resource("/api/v1/accounts/\(path)-executions/", "execution") }
    package var records: Resource { Resource("/api/v1/accounts/\(path)-records/", "record") }
}

extension AdminClient {
    /// The task of that name or id, of whichever kind, with its kind.
    ///
    /// - Parameter kind: looks among tasks of this kind only.
    package func findTask(_ nameOrID: String, _ kind: TaskKind? = nil) async throws(ClientError) -> (
        kind: TaskKind, task: JSONValue
    ) {
        var found: [(kind: TaskKind, task: JSONValue)] = []
        for kind in kind.map({ [$0] }) ?? TaskKind.allCases {
            do throws(ClientError) {
                found.append((kind, try await find(kind.tasks, nameOrID)))
            } catch {
                guard error.reason == .notFound else { throw error }
            }
        }
        guard let first = found.first else { throw ClientError(.notFound, "there is no task named \(nameOrID)") }
        guard found.count == 1 else {
            throw ClientError(.ambiguous, "tasks of several kinds are named \(nameOrID); give the kind or the id")
        }
        return first
    }

    /// The execution of an id, of whichever kind.
    package func findExecution(_ id: String) async throws(ClientError) -> (kind: TaskKind, execution: JSONValue) {
        for kind in TaskKind.allCases {
            do throws(ClientError) {
                return (kind, try await get(kind.executions.item(id)))
            } catch {
                guard error.reason == .notFound else { throw error }
            }
        }
        throw ClientError(.notFound, "there is no execution \(id)")
    }

    /// Runs a task now, and returns the id of the execution.
    package func run(_ kind: TaskKind, task id: String) async throws(ClientError) -> String {
        try Self.started(await post(kind.executions.path) { $0.field("automation", id) })
    }

    /// Does something to single accounts now, and returns the id of the execution.
    ///
    /// - Parameter action: `verify`, `push`, `remove` or `change_secret`.
    package func work(
        _ action: String, accounts: [String], includesPrivileged: Bool = false, onExisting: String? = nil
    ) async throws(ClientError) -> String {
        let made = try await post(Resource.accounts.path + "tasks/") { body in
            body.field("action", action)
            body.field("accounts", accounts)
            if includesPrivileged { body.field("include_privileged", true) }
            if let onExisting { body.field("on_existing", onExisting) }
        }
        return try Self.started(made)
    }

    /// Does something about records, and returns the ids of the executions.
    ///
    /// - Parameter action: `execute`, `verify` or `restore`.
    package func act(_ action: String, on records: [String], of kind: TaskKind) async throws(ClientError) -> [String] {
        let made = try await post(kind.records.path + action + "/") { $0.field("record_ids", records) }
        return made["tasks"]?.array.map { $0.compactMap(\.string) } ?? []
    }

    private static func started(_ made: JSONValue) throws(ClientError) -> String {
        guard let id = made["task"]?.string else { throw ClientError(.unexpectedAnswer, "the answer names no execution") }
        return id
    }
}
