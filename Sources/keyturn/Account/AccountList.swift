internal import ArgumentParser
internal import Client

struct AccountList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List accounts, without their secrets.")

    @Option(help: "Only those of this asset, by name or id.")
    var asset: String?

    @OptionGroup var page: PageOptions
    @OptionGroup var options: AdminOptions

    func run() async throws {
        var query: [(name: String, value: String)] = []
        if let asset, let id = try await options.client().find(.assets, asset).identifier { query = [("asset_id", id)] }
        let columns = ["id", "asset", "name", "username", "secret_type", "version", "is_active"]
        try await page.say(.accounts, columns: columns, options, query: query)
    }
}
