internal import ArgumentParser
internal import Server

/// Prints the audit's entries.
struct AuditExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print the audit's entries as lines of JSON, oldest first.",
        discussion:
            """
            The server may be running or stopped. Each line has the entry's hash, so that a reader can check the chain itself. The \
            export is itself written to the audit first, where the vault can be written; else standard error says why it is not.
            """)

    @OptionGroup var vault: VaultOptions
    @Option(help: "Only entries after this number.") var after: Int64 = 0
    @Flag(help: "Print JSON; it always does.") var json = false

    func run() async throws {
        let reading = AuditReading(try vault.configuration())
        await reading.recordOrComplain(.export)
        try reading.export(after: after) { bytes in
            guard bytes.withUnsafeBytes({ Terminal.send($0) }) else { throw OperatorFault(.failed, "standard output was closed") }
        }
    }
}
