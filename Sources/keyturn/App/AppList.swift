internal import ArgumentParser
internal import Client

struct AppList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List applications.")

    @OptionGroup var page: PageOptions
    @OptionGroup var options: AdminOptions

    func run() async throws {
        let columns = ["id", "name", "ip_group", "accounts_amount", "is_active", "date_last_used"]
        try await page.say(.applications, columns: columns, options)
    }
}
