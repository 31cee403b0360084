internal import ArgumentParser
internal import Client

struct AppDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Delete an application with all its keys.")

    @Argument(help: "The application's name or id.")
    var application: String

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var options: AdminOptions

    func run() async throws {
        try await options.delete(.applications, application, "Delete application \(application) with all its keys?", yes)
    }
}
