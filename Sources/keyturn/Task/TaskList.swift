internal import ArgumentParser
internal import Client
internal import JSON

struct TaskList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List tasks.")

    @Option(help: "Only push, change, verify or remove tasks.")
    var kind: TaskKind?

    @OptionGroup var page: PageOptions
    @OptionGroup var options: AdminOptions

    func run() async throws {
        let columns = ["id", "type", "name", "is_active", "crontab", "interval", "timezone", "date_next_run", "is_overdue"]
        if let kind { return try await page.say(kind.tasks, columns: columns, options) }
        let client = try options.client()
        let search = page.search.map { [(name: "search", value: $0)] } ?? []
        var rows: [JSONValue] = []
        var total = 0
        for kind in TaskKind.allCases {
            let found = try await client.list(kind.tasks, limit: page.limit, offset: page.offset, query: search)
            rows += found.rows
            total += found.total
        }
        guard options.json else { return Table(columns: columns).say(ListPage(rows: rows, total: total)) }
        Terminal.say(array: rows)
    }
}
