internal import ArgumentParser
internal import Client
internal import JSON

struct AssetTrust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust", abstract: "What is believed of an asset: its pinned host keys, and its endpoint.",
        discussion: """
            The host key, or the database's own number, that an asset shows at the first contact is pinned; another one stops the work \
            on it. An edit of address, port, zone or platform pauses the work until somebody who may reveal secrets confirms it.
            """,
        subcommands: [AssetTrustShow.self, AssetTrustPin.self, AssetTrustClear.self, AssetTrustConfirm.self])
}

/// What the commands about trust in one asset share.
struct AssetTrustOptions: ParsableArguments {
    @Argument(help: "The asset's name or id.")
    var asset: String

    @OptionGroup var options: AdminOptions

    /// The asset, and where what is believed of it lives.
    func find(_ client: AdminClient) async throws -> (asset: JSONValue, path: String) {
        let found = try await client.find(.assets, asset)
        guard let id = found.identifier else { throw ClientError(.unexpectedAnswer, "the asset has no id") }
        return (found, Resource.assets.item(id) + "trust/")
    }
}
