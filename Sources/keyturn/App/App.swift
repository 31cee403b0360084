internal import ArgumentParser

struct App: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Applications that may fetch secrets, and their keys.",
        subcommands: [AppList.self, AppCreate.self, AppShow.self, AppDelete.self, AppCredential.self])
}
