internal import ArgumentParser
internal import Cryptography
internal import JSON
internal import Sealing
internal import Server
internal import Glibc

/// Makes a new vault.
struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make a new vault in an empty data directory.")

    @Option(help: "Data directory to make.") var data = "/var/lib/keyturn"
    @Option(help: "Key directory to make; beside the data directory by default, never in it.") var keys: String?
    @Option(help: "User name of the first administrator.") var username = "admin"
    @Option(name: .customLong("host"), help: "Name or address that the server's certificate is valid for; can be repeated.")
    var hosts: [String] = []
    @Flag(help: "Ask nothing: write the recovery code to a file of mode 0600 and name it.") var yes = false
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        // What is printed must still be right for who reads it in another directory.
        let layout = Installation.Layout(data: WorkingDirectory.absolute(data), keys: keys.map(WorkingDirectory.absolute))
        let code = try RecoveryCodeUnsealer.generate()
        if !yes { try Self.prove(code) }
        let names = ["localhost", "127.0.0.1"] + hosts
        let made = try Installation(layout: layout).run(
            username: username, recoveryCode: code, hosts: names, savesRecoveryCode: yes)
        report(made, layout)
    }

    /// Shows the code and has it typed back, so that nobody finds out at the worst time that it was not saved.
    private static func prove(_ code: borrowing Secret) throws {
        // Standard output is for the result, which may be JSON for a script beside the person.
        Terminal.ask("Recovery code (opens the vault when the key file is lost; write it down, keep it offline):\n\n    ")
        code.withBytes { Terminal.ask($0) }
        Terminal.ask("\n\n")
        for _ in 0..<3 {
            let typed = try Terminal.secret(prompt: "Type it back: ")
            if let mine = RecoveryCodeUnsealer(typed: code), let theirs = RecoveryCodeUnsealer(typed: typed),
                mine.isSame(as: theirs)
            {
                return
            }
            Terminal.ask("That is another code.\n")
        }
        throw ValidationError("The recovery code was not confirmed; nothing was made.")
    }

    private func report(_ made: borrowing Installation.Made, _ layout: Installation.Layout) {
        if json {
            var writer = JSONWriter()
            writer.beginObject()
            writer.field("username", made.username)
            writer.key("password")
            made.password.withBytes { writer.string(utf8: $0) }
            writer.field("ca_certificate", layout.certificateAuthority)
            writer.field("recovery_file", yes ? layout.recovery : nil)
            writer.field("key_directory", layout.keys)
            writer.endObject()
            writer.bytes.withUnsafeBytes { Terminal.write($0) }
            Terminal.write("\n")
            return
        }
        Terminal.write("The vault is made in \(layout.data); its key file is in \(layout.keys).\n")
        Terminal.write("Administrator: \(made.username), password (shown once): ")
        made.password.withBytes { Terminal.write($0) }
        Terminal.write("\nCertificate authority for clients: \(layout.certificateAuthority)\n")
        if yes { Terminal.write("Recovery code: in \(layout.recovery); move it off this machine.\n") }
        Terminal.write("Next: keyturnd serve --data \(layout.data)\n")
    }
}
