internal import ArgumentParser
internal import Client

struct TaskDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a task; its executions and records stay.")

    @OptionGroup var name: TaskName

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        let (kind, id, _) = try await name.find(client)
        try Prompt.confirm("Delete the \(kind.rawValue) task \(name.task)?", isGiven: yes)
        try await client.delete(kind.tasks.item(id))
        options.sayDeleted(id)
    }
}
