internal import ArgumentParser
internal import Glibc
internal import Server

@main
enum Program {
    static func main() async {
        exit(await run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }

    /// Runs the command that the arguments name, says what went wrong, and tells the exit status.
    private static func run(_ arguments: [String]) async -> ExitStatus {
        do {
            var command = try Keyturnd.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return .success
        } catch let status as ExitStatus {
            return status
        } catch  where Keyturnd.exitCode(for: error) == .success || Keyturnd.exitCode(for: error) == .validationFailure {
            return usage(error)
        } catch {
            let fault = OperatorFault(error)
            Terminal.complain(fault.description)
            return ExitStatus(fault.kind)
        }
    }

    /// Help that was asked for, or what is wrong with the arguments.
    private static func usage(_ error: any Error) -> ExitStatus {
        let text = Keyturnd.fullMessage(for: error)
        guard Keyturnd.exitCode(for: error).isSuccess else {
            Terminal.complain(text, prefix: "")
            return .usage
        }
        Terminal.say(text)
        return .success
    }
}

/// The command that all others belong to.
struct Keyturnd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keyturnd",
        abstract: "Keyturn, a vault for the secrets of privileged accounts: the server and its operator's commands.",
        discussion: """
            status, unseal, seal, reload, rekey, snapshot and admin reset-password talk to a running server through its control \
            socket; rekey, snapshot and admin reset-password also work while it is stopped. migrate, restore and accept-rows need it \
            stopped. doctor and audit do not mind.

            Exit status: 0 done, 1 failed or something is wrong, 2 wrong usage, 3 wrong key or code, 4 refused or not found, \
            5 server not running, sealed, or vault in use.
            """,
        version: ProductVersion.current,
        subcommands: [
            Init.self, Serve.self, Status.self, Unseal.self, Seal.self, Reload.self, Migrate.self, SnapshotCommand.self,
            Restore.self, Rekey.self, AcceptRows.self,
            AuditCommands.self, DoctorCommand.self, AdminCommands.self,
        ])
}
