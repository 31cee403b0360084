internal import ArgumentParser
internal import Client
internal import Glibc
internal import JSON

struct Login: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Log in as an administrator.",
        discussion: """
            Asks for the password, or reads it from standard input. The token is kept in ~/.config/keyturn, or in the directory \
            that KEYTURN_CONFIG names, for nobody else to read.
            """)

    @Argument(help: "The server, such as https://vault.example:8443.")
    var url: String

    @Option(help: "The user's name.")
    var username = "admin"

    @Option(help: ArgumentHelp("A PEM file with the certificates to trust, instead of the system's.", valueName: "file"))
    var ca: String?

    @Option(help: ArgumentHelp("The organization of later calls, by id or name.", valueName: "id"))
    var org: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let endpoint = try Endpoint(url)
        let directory = try SessionDirectory.path()
        let authority = try ca.map { try Self.absolute($0) }
        let session = try await AdminClient.logIn(
            endpoint: endpoint, certificateAuthority: authority, organization: org, username: username,
            password: Prompt.secret("Password of \(username)"))
        try session.save(in: directory)
        guard json else {
            return Terminal.complain("logged in as \(username) until \(session.dateExpired)", prefix: "")
        }
        Terminal.say {
            $0.field("url", session.endpoint.text)
            $0.field("username", username)
            $0.field("organization", session.organization)
            $0.field("date_expired", session.dateExpired)
        }
    }

    /// Later runs may start in another directory.
    private static func absolute(_ path: String) throws -> String {
        guard let found = realpath(path, nil) else { throw Failure("cannot read \(path): \(String(cString: strerror(errno)))") }
        defer { free(found) }
        return String(cString: found)
    }
}
