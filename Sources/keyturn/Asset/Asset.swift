internal import ArgumentParser

struct Asset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hosts, databases and devices that have accounts.",
        subcommands: [AssetList.self, AssetCreate.self, AssetShow.self, AssetDelete.self, AssetTrust.self])
}
