internal import ArgumentParser

struct Zone: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Networks that are reached through gateways.",
        discussion: """
            A gateway is an asset of platform Gateway that is in the zone. It is used once its endpoint is confirmed and its host \
            key is pinned.
            """,
        subcommands: [ZoneList.self, ZoneCreate.self, ZoneShow.self, ZoneDelete.self])
}
