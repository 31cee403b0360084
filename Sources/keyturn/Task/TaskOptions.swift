internal import ArgumentParser
internal import Client
internal import JSON

extension TaskKind: ExpressibleByArgument {}

/// Which task is meant.
struct TaskName: ParsableArguments {
    @Argument(help: "The task's name or id.")
    var task: String

    @Option(help: "push, change, verify or remove, where tasks of several kinds have the name.")
    var kind: TaskKind?

    func find(_ client: AdminClient) async throws -> (kind: TaskKind, id: String, task: JSONValue) {
        let (kind, found) = try await client.findTask(task, kind)
        guard let id = found.identifier else { throw ClientError(.unexpectedAnswer, "the task has no id") }
        return (kind, id, found)
    }
}

/// What is done once an execution has begun.
struct ExecutionOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Wait for the end and show the records; exit with 1 unless all went well.")
    var wait = true

    /// Says the execution's id, or watches it to its end.
    func follow(_ id: String, _ kind: TaskKind, _ client: AdminClient, _ options: AdminOptions) async throws {
        guard wait else {
            if options.json { Terminal.say { $0.field("task", id) } } else { Terminal.say(id) }
            return
        }
        try await ExecutionWatch(client: client, kind: kind, id: id, isJSON: options.json).run()
    }
}

/// Follows an execution to its end.
struct ExecutionWatch {
    let client: AdminClient
    let kind: TaskKind
    let id: String
    let isJSON: Bool

    static let columns = ["asset", "username", "status", "reason", "old_version", "new_version", "error", "remark"]
    private static let open: Set<String> = ["pending", "running"]

    /// Progress goes to standard error, the outcome to standard output. Throws unless every account was a success or skipped.
    func run() async throws {
        var last = ""
        var execution = try await client.get(kind.executions.item(id))
        while let status = Self.status(of: execution), Self.open.contains(status) {
            let progress =
                "\(status) \(Table.text(execution["progress"]?["done"]))/\(Table.text(execution["progress"]?["total"]))"
            if progress != last, Terminal.isOutputForPeople { Terminal.complain(progress, prefix: "") }
            last = progress
            try await Swift.Task.sleep(for: .milliseconds(500))
            execution = try await client.get(kind.executions.item(id))
        }
        if isJSON {
            Terminal.say(json: execution)
        } else {
            let page = try await client.list(kind.records, limit: 1000, query: [(name: "execution", value: id)])
            Table(columns: Self.columns).say(page)
        }
        let status = Self.status(of: execution) ?? "unknown"
        guard status == "success" else {
            let reason = execution["reason"]?.string.flatMap { $0.isEmpty ? nil : ": " + $0 } ?? ""
            throw Failure("the execution ended as \(status)\(reason)")
        }
    }

    private static func status(of execution: JSONValue) -> String? { execution["status"]?["value"]?.string }
}

extension AdminOptions {
    /// Runs a call that the server may only grant after the password was given again, which is asked for then.
    func confirmed<Value>(_ client: AdminClient, _ call: () async throws -> Value) async throws -> Value {
        do {
            return try await call()
        } catch let error as ClientError where error.reason == .confirmationRequired {
            try await client.confirm(password: Prompt.secret("Password of \(client.session.username), to confirm"))
            return try await call()
        }
    }
}
