internal import ArgumentParser
internal import Client

struct ZoneShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a zone with its gateways.")

    @Argument(help: "The zone's name or id.")
    var zone: String

    @OptionGroup var options: AdminOptions

    func run() async throws {
        options.say(try await options.client().find(.zones, zone))
    }
}
