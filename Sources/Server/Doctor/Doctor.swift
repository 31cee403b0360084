internal import JSON
internal import Storage

/// Looks at everything that a server rests on, whether it runs or not, and says what to do about what is wrong. Changes nothing.
package struct Doctor: Sendable {
    let configuration: Configuration
    /// Whether to leave out what takes long on a large vault: the whole database and the whole audit chain.
    let isQuick: Bool

    package init(configuration: Configuration, isQuick: Bool) {
        self.configuration = configuration
        self.isQuick = isQuick
    }

    var data: String { configuration.dataDirectory }
    var layout: Installation.Layout { configuration.layout }

    /// Everything that was looked at, in the order in which it should be repaired. Blocks.
    package func findings() -> [Finding] {
        var findings = directory()
        guard !findings.contains(where: { $0.state == .wrong }) else { return findings }
        findings += server() + keyFile() + recovery() + certificate() + notifications() + clock() + disk()
        return findings + databases()
    }

    // MARK: - Data directory and server

    private func directory() -> [Finding] {
        do {
            _ = try DataDirectory.inspect(data)
            return [.fine("data directory", "\(data) and its files belong to this user alone")]
        } catch {
            switch error {
            case .missing:
                return [
                    .wrong("data directory", "there is no \(data)", remedy: "keyturnd init --data \(data), or another --data")
                ]
            case .notPermitted(let what, let remedy): return [.wrong("data directory", what, remedy: remedy)]
            default: return [.wrong("data directory", "\(error)", remedy: "see that the directory can be read")]
            }
        }
    }

    private func server() -> [Finding] {
        let client = ControlClient(path: layout.data + "/control.sock", patience: .seconds(10))
        do {
            let status = try client.send(.status)
            let reasons = status["reasons"]?.array?.compactMap(\.string) ?? []
            guard status["ready"]?.bool != true else { return [.fine("server", "runs and is ready")] }
            let isSealed = status["sealed"]?.bool == true
            return [
                .wrong(
                    "server", "runs and is not ready: " + reasons.joined(separator: " "),
                    remedy: isSealed ? "keyturnd unseal --data \(data)" : "see the server's log")
            ]
        } catch {
            guard error.code != "not_running" else { return [.fine("server", "does not run")] }
            return [.wrong("server", "does not answer: \(error)", remedy: "see the server's log")]
        }
    }
}
