internal import ArgumentParser
internal import Cryptography
internal import JSON
internal import Server

/// Replaces the key-encryption key.
struct Rekey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Replace the key-encryption key; the server may be running or stopped.",
        discussion: """
            A new key wraps the data keys and authenticates the rows; the former one is destroyed once nothing is under it. The key file \
            and the recovery code stay as they are. Run it again if it was cut off: it goes on where it was.
            """)

    @OptionGroup var vault: VaultOptions
    @Flag(help: "Open the root key with the recovery code instead of the key file.") var recoveryCode = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let configuration = try vault.configuration()
        let key =
            recoveryCode ? ControlKey.recoveryCode(SecretHandoff(try Terminal.secret(prompt: "Recovery code: "))) : .keyFile
        if configuration.control.isServerRunning {
            let done = try configuration.control.send(.rekey(key))
            try Terminal.report(json: json) { result in
                for name in ["key", "data_keys", "rows"] { result.field(name, done[name]?.int) }
                result.field("resumed", done["resumed"]?.bool)
                if let damaged = done["damaged_changes"]?.string { result.field("damaged_changes", damaged) }
            }
        } else {
            let stopped = try StoppedVault(data: configuration.dataDirectory, checkpoints: configuration.checkpoints)
            let report = try await stopped.finishing { vault in
                let unsealer = try key.unsealer(keys: configuration.keys)
                try vault.unseal(with: unsealer)
                return try await RekeyRun.run(vault, openedBy: unsealer)
            }
            try Terminal.report(json: json) { report.write(to: &$0) }
        }
    }
}
