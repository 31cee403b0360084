internal import ArgumentParser
internal import Client
internal import Glibc

@main
enum Program {
    static func main() async {
        let status = await run(Array(CommandLine.arguments.dropFirst()))
        // Without the cleaning up at exit of the libraries: their threads may still be closing connections, with what it would free.
        // Everything was written by then, by `write`.
        _exit(status.rawValue)
    }

    /// Runs the command that the arguments name, says what went wrong, and tells the exit status.
    private static func run(_ arguments: [String]) async -> ExitStatus {
        do {
            var command = try Keyturn.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return .success
        } catch let error as ClientError {
            Terminal.complain(error.description)
            return ExitStatus(error.reason)
        } catch let failure as Failure {
            Terminal.complain(failure.text)
            return failure.status
        } catch {
            return usage(error)
        }
    }

    /// Help that was asked for, or what is wrong with the arguments.
    private static func usage(_ error: any Swift.Error) -> ExitStatus {
        let text = Keyturn.fullMessage(for: error)
        guard Keyturn.exitCode(for: error).isSuccess else {
            Terminal.complain(text, prefix: "")
            return .usage
        }
        Terminal.say(text)
        return .success
    }
}

/// The command that all others belong to.
struct Keyturn: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keyturn",
        abstract: "Fetches secrets of accounts for applications, and administers a Keyturn server.",
        discussion: """
            Applications: get and run take the application's key from KEYTURN_URL, KEYTURN_KEY_ID, KEYTURN_KEY_SECRET, \
            KEYTURN_CA and KEYTURN_ORG, or from the private file that KEYTURN_CREDENTIALS or --credentials names.
            Administrators: log in first; app, asset, zone, account and task use the log-in that is kept in ~/.config/keyturn.

            Exit status: 0 done, 1 failed, 2 wrong usage, 3 not authenticated, 4 refused or not found, 5 server unavailable \
            or sealed.
            """,
        version: "0.1.0",
        subcommands: [
            Get.self, Run.self, Login.self, Logout.self, App.self, Asset.self, Zone.self, Account.self, TaskCommand.self,
        ])
}
