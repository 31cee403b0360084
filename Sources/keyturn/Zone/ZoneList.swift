internal import ArgumentParser
internal import Client

struct ZoneList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List zones.")

    @OptionGroup var page: PageOptions
    @OptionGroup var options: AdminOptions

    func run() async throws {
        try await page.say(.zones, columns: ["id", "name", "assets_amount", "comment"], options)
    }
}
