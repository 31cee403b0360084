internal import ArgumentParser
internal import Client
internal import JSON

struct TaskShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a task, without its secret.")

    @OptionGroup var name: TaskName
    @OptionGroup var options: AdminOptions

    func run() async throws {
        options.say(try await name.find(options.client()).task)
    }
}

struct TaskDryRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dry-run", abstract: "Show what a task would do: to which accounts, by whom, and what is refused and why.")

    @OptionGroup var name: TaskName
    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        let (kind, id, _) = try await name.find(client)
        let plan = try await client.post(kind.tasks.item(id) + "dry-run/") { _ in }
        if options.json { return Terminal.say(json: plan) }
        let rows = plan["works"]?.array.map { Array($0) } ?? []
        let columns =
            kind == .push
            ? ["asset", "username", "worker", "if_absent", "if_present", "reason"]
            : ["asset", "username", "worker", "does", "reason", "detail"]
        Table(columns: columns).say(ListPage(rows: rows, total: rows.count))
    }
}
