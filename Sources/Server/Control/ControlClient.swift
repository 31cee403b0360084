internal import Cryptography
package import JSON

/// Asks a running server, from another process of the same machine. Blocks.
package struct ControlClient: Sendable {
    private let path: String
    private let patience: Duration

    /// - Parameter patience: how long a command may take; a snapshot of a large database takes minutes.
    package init(path: String, patience: Duration = .seconds(3600)) {
        self.path = path
        self.patience = patience
    }

    /// Whether a server listens there.
    package var isServerRunning: Bool { (try? LocalSocket.connect(to: path)) != nil }

    /// The result of a command. Throws `ControlFault` with the code `not_running` if no server listens, or what it said.
    package func send(_ command: ControlCommand) throws(ControlFault) -> JSONValue {
        let socket = try LocalSocket.connect(to: path)
        let line = command.line()
        let isSent = line.withBytes { !$0.isEmpty && socket.write($0, within: .seconds(5)) }
        guard isSent, case .line(let answer) = socket.readLine(limit: ControlAnswer.byteLimit, within: patience) else {
            throw ControlFault("no_answer", "the server gave no answer; its log says why")
        }
        switch try answer.withBytes({ (bytes) throws(ControlFault) in try ControlAnswer(reading: bytes) }) {
        case .failed(let code, let detail): throw ControlFault(code, detail)
        case .done(let result):
            do {
                return try JSONDocument.parse(result)
            } catch {
                throw ControlFault("malformed", "the server's answer cannot be read")
            }
        }
    }
}
