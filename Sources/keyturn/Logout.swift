internal import ArgumentParser
internal import Client
internal import JSON

struct Logout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End the log-in that is kept on this machine.",
        discussion:
            "The token is revoked at the server and forgotten here; if the server cannot be told, it is forgotten all the same.")

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let directory = try SessionDirectory.path()
        let session = try? Session.load(from: directory)
        guard try Session.remove(from: directory) else { return say("there was no log-in", wasLoggedIn: false) }
        do throws(ClientError) {
            if let session { try await AdminClient(session).logOut() }
        } catch {
            // An ended session is what was wanted.
            guard error.reason == .unauthenticated else { throw error }
        }
        say("logged out", wasLoggedIn: true)
    }

    private func say(_ text: String, wasLoggedIn: Bool) {
        guard json else { return Terminal.complain(text, prefix: "") }
        Terminal.say { $0.field("was_logged_in", wasLoggedIn) }
    }
}
