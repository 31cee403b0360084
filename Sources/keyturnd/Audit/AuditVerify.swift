internal import ArgumentParser
internal import JSON
internal import Server

/// Verifies the audit chain.
struct AuditVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify the whole audit chain; the server may be running or stopped.",
        discussion: """
            Names the first broken entry and ends with status 1 if there is one. A checkpoint file that was kept elsewhere shows entries \
            that were cut off. With the key file at hand only the vault's own signing key is believed. The verification is itself \
            written to the audit first, where the vault can be written; else standard error says why it is not.
            """)

    @OptionGroup var vault: VaultOptions
    @Option(help: "Checkpoint file (the one of the configuration, where it is there).") var checkpoint: String?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let reading = AuditReading(try vault.configuration())
        await reading.recordOrComplain(.verify)
        let found = try reading.verify(checkpoint: checkpoint.map(WorkingDirectory.absolute))
        try Terminal.report(json: json) { found.write(to: &$0) }
        guard found.isWhole else { throw ExitStatus.failure }
    }
}
