internal import ArgumentParser
internal import Cryptography
internal import JSON
internal import Server

/// Makes a vault from a snapshot.
struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a vault from a snapshot, with the recovery code alone.",
        discussion: """
            Opens every sealed value and verifies every row and the whole audit chain before it says done. Makes a new key file, which \
            replaces former ones, and new development certificates; ends all logins. The code is asked for, or read as one line from \
            standard input.

            A vault that is served works on its targets at once: changes that were open are settled, tasks that are due run. Of the \
            original and the restored one only one may be served, or each changes what the other one keeps.
            """)

    @Argument(help: "Directory that 'keyturnd snapshot' made.") var snapshot: String
    @OptionGroup var vault: VaultOptions
    @Option(name: .customLong("host"), help: "Name or address that the new certificate is valid for; can be repeated.")
    var hosts: [String] = []
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let configuration = try vault.configuration()
        let layout = configuration.layout
        let code = try Terminal.secret(prompt: "Recovery code: ")
        let restoration = Restoration(
            snapshot: WorkingDirectory.absolute(snapshot), layout: layout, hosts: ["localhost", "127.0.0.1"] + hosts)
        let report = try await restoration.run(recoveryCode: SecretHandoff(code))
        try Terminal.report(json: json) {
            $0.field("data_directory", layout.data)
            $0.field("key_directory", layout.keys)
            $0.field("ca_certificate", layout.certificateAuthority)
            $0.field("rows", report.findings.rows)
            $0.field("secrets", report.findings.secrets)
            $0.field("audit_entries", report.auditEntries)
        }
    }
}
