internal import ArgumentParser
internal import Client

struct AppCredentialDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Revoke a key of an application; it ends at once.")

    @Argument(help: "The application's name or id.")
    var application: String

    @Argument(help: "The key's id.")
    var credential: String

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var options: AdminOptions

    func run() async throws {
        let client = try options.client()
        let resource = try await client.credentials(of: application)
        try Prompt.confirm("Revoke key \(credential) of \(application)?", isGiven: yes)
        try await client.delete(resource.item(credential))
        options.sayDeleted(credential)
    }
}
