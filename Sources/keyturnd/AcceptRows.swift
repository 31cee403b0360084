internal import ArgumentParser
internal import Cryptography
internal import JSON
internal import Server

/// Takes the rows of a stopped vault for the right ones.
struct AcceptRows: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take the rows of a stopped vault for the right ones, as they are.",
        discussion: """
            A vault whose rows are not the newest that it wrote stays sealed: somebody put older ones back, took some away, or put an older \
            copy of the database in place. Restore a snapshot, or, if you know the reason and want what is there, say so with this command. \
            Sessions, credentials, policies and secrets are then what the rows say. It is recorded.
            """)

    @OptionGroup var vault: VaultOptions
    @Flag(help: "Open the vault with the recovery code instead of the key file.") var recoveryCode = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let configuration = try vault.configuration()
        let stopped = try StoppedVault(data: configuration.dataDirectory, checkpoints: configuration.checkpoints)
        let objection = try await stopped.finishing { vault in
            let key =
                recoveryCode ? ControlKey.recoveryCode(SecretHandoff(try Terminal.secret(prompt: "Recovery code: "))) : .keyFile
            try vault.unseal(with: key, keys: configuration.keys, checking: nil)
            return try await RowAcceptance.run(vault)
        }
        try Terminal.report(json: json) { $0.field("accepted", objection ?? "nothing stood against them") }
    }
}
