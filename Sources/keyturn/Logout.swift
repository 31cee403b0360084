internal import ArgumentParser
internal import Client

struct Logout: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Forget the log-in that is kept on this machine.")

    func run() throws {
        let isRemoved = try Session.remove(from: try SessionDirectory.path())
        Terminal.complain(isRemoved ? "logged out" : "there was no log-in", prefix: "")
    }
}
