internal import ArgumentParser
internal import Cryptography
internal import JSON
internal import Server

/// Opens a sealed vault.
struct Unseal: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Open a sealed vault with the recovery code.",
        discussion: "The code is asked for, or read as one line from standard input.")

    @OptionGroup var vault: VaultOptions
    @Flag(help: "Try the key file of the server's key directory again instead.") var keyFile = false
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let control = try vault.configuration().control
        let key = keyFile ? ControlKey.keyFile : .recoveryCode(SecretHandoff(try Terminal.secret(prompt: "Recovery code: ")))
        _ = try control.send(.unseal(key))
        try Terminal.report(json: json) { $0.field("sealed", false) }
    }
}
