internal import ArgumentParser
internal import Client

struct ZoneDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete a zone that no asset is in.")

    @Argument(help: "The zone's name or id.")
    var zone: String

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var options: AdminOptions

    func run() async throws {
        try await options.delete(.zones, zone, "Delete zone \(zone)?", yes)
    }
}
