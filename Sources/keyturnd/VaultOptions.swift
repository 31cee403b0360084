internal import ArgumentParser
internal import Server

/// Which vault a command is about.
struct VaultOptions: ParsableArguments {
    @Option(help: "Data directory (/var/lib/keyturn).") var data: String?
    @Option(help: "Key directory: beside the data directory by default, or $CREDENTIALS_DIRECTORY.") var keys: String?
    @Option(help: "Configuration file.") var config: String?

    /// The configuration of the file, with what the options say.
    func configuration(listen: String? = nil, logLevel: String? = nil, logsJSON: Bool = false) throws -> Configuration {
        var options = Configuration.Options()
        options.data = data
        options.keys = keys
        options.listen = listen
        options.logLevel = logLevel
        options.logsJSON = logsJSON
        return try Configuration.load(file: config.map(WorkingDirectory.absolute), options: options)
    }
}

extension Configuration {
    /// The way to a running server of this vault.
    var control: ControlClient { ControlClient(path: dataDirectory + "/control.sock") }
}
