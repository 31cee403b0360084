internal import ArgumentParser
internal import Client

struct Logout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End the log-in that is kept on this machine.",
        discussion:
            "The token is revoked at the server and forgotten here; if the server cannot be told, it is forgotten all the same.")

    func run() async throws {
        let directory = try SessionDirectory.path()
        let session = try? Session.load(from: directory)
        guard try Session.remove(from: directory) else { return Terminal.complain("there was no log-in", prefix: "") }
        do throws(ClientError) {
            if let session { try await AdminClient(session).logOut() }
            Terminal.complain("logged out", prefix: "")
        } catch {
            // An ended session is what was wanted.
            guard error.reason != .unauthenticated else { return Terminal.complain("logged out", prefix: "") }
            throw error
        }
    }
}
