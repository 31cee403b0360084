internal import ArgumentParser
internal import Client

struct TaskRecords: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "records", abstract: "List what executions did to single accounts, newest first.")

    @Argument(help: "Only of this execution, or of the last execution of this task.")
    var execution: String?

    @Option(help: "push, change, verify or remove, where no execution is named.")
    var kind = TaskKind.change

    @Option(help: "Only those that are pending, success, failed, uncertain, unverifiable, skipped or refused.")
    var status: String?

    @OptionGroup var page: PageOptions
    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        var query = status.map { [(name: "status", value: $0)] } ?? []
        var kind = kind
        if let execution {
            let found = try await ExecutionName.find(execution, client)
            kind = found.kind
            query.append((name: "execution", value: found.id))
        }
        let columns = ["id", "date_created"] + ExecutionWatch.columns
        try await page.say(kind.records, columns: columns, options, query: query)
    }
}

struct TaskRetry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Try again what did not succeed, with the same new secret where one was made.")

    @Argument(help: "The records' ids.")
    var records: [String]

    @Option(help: "push or change: what the records are of.")
    var kind = TaskKind.change

    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        for id in try await client.act("execute", on: records, of: kind) {
            try await execution.follow(id, kind, client, options)
        }
    }
}

struct TaskRestore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put the secrets from before back, on the targets too.",
        discussion: "Asks for your password first, or reads it from standard input, if you did not give it lately.")

    @Argument(help: "The records' ids.")
    var records: [String]

    @Option(help: "push or change: what the records are of.")
    var kind = TaskKind.change

    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        let executions = try await options.confirmed(client) { try await client.act("restore", on: records, of: kind) }
        for id in executions { try await execution.follow(id, .change, client, options) }
    }
}
