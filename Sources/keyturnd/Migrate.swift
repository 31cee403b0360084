internal import ArgumentParser
internal import JSON
internal import Server

/// Brings the databases to this program's schema.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring a stopped vault's databases to this version; a copy is made first.",
        discussion: "Newer databases than this program knows are refused untouched.")

    @OptionGroup var vault: VaultOptions
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let configuration = try vault.configuration()
        let steps = try await MigrationRun(
            data: configuration.dataDirectory, checkpoints: configuration.checkpoints, keys: configuration.keys
        ).run()
        try Terminal.report(json: json) { result in
            for step in steps {
                result.object(step.name.replacing(" ", with: "_")) {
                    $0.field("from", step.from)
                    $0.field("to", step.to)
                    $0.field("copy", step.copy)
                }
            }
        }
    }
}
