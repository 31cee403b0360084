internal import ArgumentParser
internal import Client
internal import JSON

struct ZoneCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Create a zone.")

    @Argument(help: "A name that no other zone has.")
    var name: String

    @Option(help: "Anything worth knowing.")
    var comment: String?

    @OptionGroup var options: AdminOptions

    func run() async throws {
        let made = try await options.client().post(Resource.zones.path) { body in
            body.field("name", name)
            if let comment { body.field("comment", comment) }
        }
        options.say(made)
    }
}
