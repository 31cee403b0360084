internal import ArgumentParser
internal import Client

struct AppCredentialList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the keys of an application, without their secrets.")

    @Argument(help: "The application's name or id.")
    var application: String

    @OptionGroup var page: PageOptions
    @OptionGroup var options: AdminOptions

    func run() async throws {
        let resource = try await options.client().credentials(of: application)
        let columns = ["id", "name", "ip_group", "is_strict", "is_active", "date_expires", "date_last_used"]
        try await page.say(resource, columns: columns, options)
    }
}
