extension Configuration {
    /// What the command line says; it wins over the file.
    package struct Options: Sendable {
        package var data: String?
        package var keys: String?
        package var listen: String?
        package var logLevel: String?
        /// Whether the log is lines of JSON, whatever the file says.
        package var logsJSON = false

        package init() {}
    }

    /// The configuration of a file, or the defaults without one, with what the command line says.
    package static func load(file: String?, options: Options) throws(ConfigurationFault) -> Configuration {
        var configuration = Configuration()
        if let file { configuration = try Configuration(file: file) }
        try configuration.apply(options)
        return configuration
    }

    private mutating func apply(_ options: Options) throws(ConfigurationFault) {
        var problems: [ConfigurationFault.Problem] = []
        func read<Value>(_ name: String, _ text: String?, _ rule: ScalarRule<Value>) -> Value? {
            guard let text else { return nil }
            let value = rule.read(text)
            if value == nil { problems.append(.init(line: nil, key: "--" + name, "must be " + rule.expectation)) }
            return value
        }
        dataDirectory = read("data", options.data.map(WorkingDirectory.absolute), .path) ?? dataDirectory
        keyDirectory = read("keys", options.keys.map(WorkingDirectory.absolute), .path) ?? keyDirectory
        listen = read("listen", options.listen, .listenAddress) ?? listen
        log.level = read("log-level", options.logLevel, .word) ?? log.level
        if options.logsJSON { log.format = .json }
        if Self.isInside(keys, dataDirectory) {
            problems.append(.init(line: nil, key: "--keys", "the key directory must not lie inside the data directory"))
        }
        guard problems.isEmpty else { throw ConfigurationFault(file: nil, problems) }
    }
}
