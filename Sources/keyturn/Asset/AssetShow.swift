internal import ArgumentParser
internal import Client

struct AssetShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show an asset.")

    @Argument(help: "The asset's name or id.")
    var asset: String

    @OptionGroup var options: AdminOptions

    func run() async throws {
        options.say(try await options.client().find(.assets, asset))
    }
}
