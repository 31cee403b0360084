internal import ArgumentParser
internal import Client
internal import JSON

struct TaskRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Run a task now.")

    @OptionGroup var name: TaskName
    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        let (kind, id, _) = try await name.find(client)
        try await execution.follow(client.run(kind, task: id), kind, client, options)
    }
}

struct TaskWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Follow an execution to its end and show its records.",
        discussion: "Exits with 1 unless every account was a success or skipped.")

    @Argument(help: "The execution's id, or the name of a task for its last execution.")
    var execution: String

    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        let (kind, id) = try await ExecutionName.find(execution, client)
        try await ExecutionWatch(client: client, kind: kind, id: id, isJSON: options.json).run()
    }
}

struct TaskCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Stop an execution: accounts under way are finished, no other is begun.")

    @Argument(help: "The execution's id, or the name of a task for its last execution.")
    var execution: String

    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        let (kind, id) = try await ExecutionName.find(execution, client)
        options.say(try await client.post(kind.executions.item(id) + "cancel/") { _ in })
    }
}

/// Which execution is meant: by its id, or as the last one of a task.
enum ExecutionName {
    static func find(_ text: String, _ client: AdminClient) async throws -> (kind: TaskKind, id: String) {
        if AdminClient.isID(text), let found = try? await client.findExecution(text) { return (found.kind, text) }
        let (kind, task) = try await client.findTask(text)
        guard let id = task["last_execution"]?.string else { throw Failure("the task has not run yet") }
        return (kind, id)
    }
}
