internal import ArgumentParser
internal import Client

struct AssetDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete an asset with its accounts and their secrets.")

    @Argument(help: "The asset's name or id.")
    var asset: String

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var options: AdminOptions

    func run() async throws {
        try await options.delete(.assets, asset, "Delete asset \(asset) with its accounts and their secrets?", yes)
    }
}
