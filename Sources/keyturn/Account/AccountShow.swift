internal import ArgumentParser
internal import Client

struct AccountShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show an account, without its secret.")

    @Argument(help: "ASSET/ACCOUNT or the account's id.")
    var account: String

    @OptionGroup var options: AdminOptions

    func run() async throws {
        options.say(try await options.client().findAccount(account))
    }
}
