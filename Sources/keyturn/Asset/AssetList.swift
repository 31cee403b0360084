internal import ArgumentParser
internal import Client

struct AssetList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List assets.")

    @OptionGroup var page: PageOptions
    @OptionGroup var options: AdminOptions

    func run() async throws {
        try await page.say(.assets, columns: ["id", "name", "address", "platform", "is_active"], options)
    }
}
