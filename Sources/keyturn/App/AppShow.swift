internal import ArgumentParser
internal import Client

struct AppShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show an application.")

    @Argument(help: "The application's name or id.")
    var application: String

    @OptionGroup var options: AdminOptions

    func run() async throws {
        options.say(try await options.client().find(.applications, application))
    }
}
