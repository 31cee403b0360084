internal import ArgumentParser
internal import JSON
internal import Server

/// Copies a vault.
struct SnapshotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Copy the vault, running or stopped, into a new directory.",
        discussion: "The copy holds no key: restoring it takes the recovery code.")

    @Argument(help: "Directory to make.") var directory: String
    @OptionGroup var vault: VaultOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let configuration = try vault.configuration()
        let target = WorkingDirectory.absolute(directory)
        if configuration.control.isServerRunning {
            let result = try configuration.control.send(.snapshot(directory: target))
            return Terminal.report(result, json: json)
        }
        let stopped = try StoppedVault(data: configuration.dataDirectory, checkpoints: configuration.checkpoints)
        let manifest = try await stopped.finishing { vault in try await vault.snapshot(to: target) }
        try Terminal.report(json: json) { manifest.write(target, to: &$0) }
    }
}
