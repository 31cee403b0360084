internal import Glibc
internal import Yams

extension Configuration {
    /// A file of more bytes than this is not a configuration.
    package static let fileByteLimit = 64 << 10

    /// Reads a file; throws all that is wrong with it.
    package init(file path: String) throws(ConfigurationFault) {
        let bytes = try Self.bytes(of: path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationFault(file: path, [.init(line: nil, key: "", "not valid UTF-8")])
        }
        do throws(ConfigurationFault) {
            self = try Configuration(yaml: text)
        } catch {
            throw ConfigurationFault(file: path, error.problems)
        }
    }

    /// Reads the text of a file. What it does not name keeps its default.
    package init(yaml text: String) throws(ConfigurationFault) {
        guard text.utf8.count <= Self.fileByteLimit else {
            throw ConfigurationFault(file: nil, [.init(line: nil, key: "", "larger than \(Self.fileByteLimit >> 10) KiB")])
        }
        if let line = Indirection.line(in: text) {
            throw ConfigurationFault(file: nil, [.init(line: line, key: "", "anchors, aliases and tags are not used here")])
        }
        self.init()
        do {
            // The resolver would only guess types, which the rules know.
            guard let root = try Yams.compose(yaml: text, .basic, .default, .utf8) else { return }
            if case .scalar(let scalar) = root, scalar.string.isEmpty { return }
            let reader = try ConfigurationReader(root: root)
            read(reader)
            reader.refuseUnknown()
            guard reader.problems.isEmpty else { throw ConfigurationFault(file: nil, reader.problems) }
        } catch {
            throw ConfigurationFault(reading: error)
        }
    }

    private static func bytes(of path: String) throws(ConfigurationFault) -> [UInt8] {
        func fault(_ message: String) -> ConfigurationFault {
            ConfigurationFault(file: path, [.init(line: nil, key: "", message)])
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw fault(String(cString: strerror(errno))) }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: fileByteLimit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes[count...].withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw fault(String(cString: strerror(errno))) }
            if got == 0 { break }
            count += got
        }
        guard count <= fileByteLimit else { throw fault("larger than \(fileByteLimit >> 10) KiB") }
        return Array(bytes[..<count])
    }
}

// MARK: - Keys

extension Configuration {
    private mutating func read(_ file: ConfigurationReader) {
        file.read("listen", into: &listen, .listenAddress)
        file.read("plain_listen", into: &plainListen, orNone: .listenAddress)
        file.read("data_directory", into: &dataDirectory, .path)
        file.read("key_directory", into: &keyDirectory, orNone: .path)
        file.section("tls") { section in
            section.read("certificate", into: &tls.certificate, orNone: .path)
            section.read("key", into: &tls.key, orNone: .path)
            if (tls.certificate == nil) != (tls.key == nil) {
                section.fail(tls.key == nil ? "key" : "certificate", "certificate and key go together: set both or none")
            }
        }
        file.read("trusted_proxies", into: &trustedProxies, each: .network, atMost: 1000)
        file.read("loops", into: &loops, .number(0...64))
        var reserve = Int(clamping: diskReserve)
        file.read("disk_reserve", into: &reserve, .bytes(0...(16 << 30)))
        diskReserve = Int64(reserve)
        file.read("lock_memory", into: &locksMemory, .flag)
        file.section("limits") { limits.read($0) }
        file.section("signature") { signature.read($0) }
        file.section("rate") { rate.read($0) }
        file.section("audit") { section in
            section.read("checkpoint_file", into: &audit.checkpointFile, orNone: .path)
            section.read("refusals_per_minute", into: &audit.refusalsPerMinute, .number(1...1_000_000))
        }
        file.section("automation") { automation.read($0) }
        file.section("notifications") { notifications.read($0) }
        file.section("log") { section in
            section.read("level", into: &log.level, .word)
            section.read("format", into: &log.format, .word)
        }
        if Self.isInside(keyDirectory, dataDirectory) {
            file.fail("key_directory", "must not lie inside the data directory: a copy of that would hold the key to itself")
        }
    }

    static func isInside(_ path: String?, _ directory: String) -> Bool {
        path.map { $0 == directory || $0.hasPrefix(directory + "/") } ?? false
    }
}

extension Configuration.Limits {
    fileprivate mutating func read(_ section: ConfigurationReader) {
        let deadline = ScalarRule<Duration>.duration(.milliseconds(100) ... .seconds(3600))
        section.read("connections", into: &connections, .number(1...1_000_000))
        section.read("connections_per_address", into: &connectionsPerAddress, .number(1...1_000_000))
        section.read("header_bytes", into: &headerBytes, .bytes((4 << 10)...(1 << 20)))
        section.read("body_bytes_applications", into: &applicationBodyBytes, .bytes((1 << 10)...(16 << 20)))
        section.read("body_bytes_admin", into: &adminBodyBytes, .bytes((1 << 10)...(256 << 20)))
        section.read("body_bytes_in_all", into: &bodyBytesInAll, .bytes((1 << 20)...(64 << 30)))
        section.read("body_bytes_per_address", into: &bodyBytesPerAddress, .bytes((1 << 20)...(64 << 30)))
        section.read("json_depth", into: &jsonDepth, .number(4...64))
        section.read("header_timeout", into: &headerTimeout, deadline)
        section.read("body_timeout", into: &bodyTimeout, deadline)
        section.read("idle_timeout", into: &idleTimeout, deadline)
        section.read("request_timeout", into: &requestTimeout, deadline)
        section.read("send_timeout", into: &sendTimeout, deadline)
    }
}

extension Configuration.Signature {
    fileprivate mutating func read(_ section: ConfigurationReader) {
        section.read("window", into: &window, .duration(.seconds(10) ... .seconds(900)))
        section.read("accept_before_start", into: &acceptsBeforeStart, .flag)
        section.read("replay_entries_per_credential", into: &replayEntriesPerCredential, .number(1_000...10_000_000))
    }
}

extension Configuration.Rate {
    fileprivate mutating func read(_ section: ConfigurationReader) {
        section.read("fetches_per_minute", into: &fetchesPerMinute, .number(0...100_000_000))
        section.read("bad_signatures_per_minute", into: &badSignaturesPerMinute, .number(1...1_000_000))
        section.read("login_failures", into: &loginFailures, .number(1...1_000))
        section.read("lock_out", into: &lockOut, .duration(.seconds(1) ... .seconds(86_400)))
    }
}

// MARK: - What Yams throws

extension ConfigurationFault {
    /// Without the snippets of the file that Yams adds.
    fileprivate init(reading error: any Error) {
        switch error {
        case let fault as ConfigurationFault: self = fault
        case let rejected as Rejected: self.init(file: nil, [rejected.problem])
        case YamlError.duplicatedKeysInMapping(let keys, let context):
            self.init(
                file: nil,
                keys.map {
                    Problem(line: context.mark.line, key: String($0.prefix(64)), "stands here and again in the same section")
                })
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            self.init(file: nil, [Problem(line: mark.line, key: "", "not YAML: " + problem)])
        default: self.init(file: nil, [Problem(line: nil, key: "", "not YAML")])
        }
    }
}
