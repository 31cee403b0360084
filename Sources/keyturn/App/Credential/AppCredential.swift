internal import ArgumentParser
internal import Client

struct AppCredential: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credential", abstract: "The keys of an application; several may live at once.",
        subcommands: [
            AppCredentialList.self, AppCredentialCreate.self, AppCredentialRotate.self, AppCredentialDelete.self,
        ])
}

extension AdminClient {
    /// The credentials of the application with this name or id.
    func credentials(of application: String) async throws -> Resource {
        guard let id = try await find(.applications, application).identifier else {
            throw ClientError(.unexpectedAnswer, "the application has no id")
        }
        return .credentials(of: id)
    }
}
