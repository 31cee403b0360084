internal import Synchronization
package import Threads

/// One authenticated SSH connection.
///
/// Everything here blocks, within limits, and belongs on threads of its own (`BlockingThreads`). Calls are serialized. libssh2 carries
/// most connections; those that it cannot (RSA keys, hosts with nothing but an RSA key) an `ssh` program, to the same effect.
package final class SSHSession: Sendable {
    private let transport: any Transport
    /// The session to the gateway lives as long as this one.
    private let gateway: (any Transport)?
    private let conversation: Conversation
    private let turn = Mutex<Standing?>(nil)

    /// A command that stays.
    // `@unchecked Sendable`: the channel is used under the session's lock alone.
    private final class Standing: @unchecked Sendable {
        let line: String
        let channel: any CommandChannel

        init(_ line: String, _ channel: any CommandChannel) {
            self.line = line
            self.channel = channel
        }

        deinit { channel.abandon() }
    }

    private init(_ transport: any Transport, gateway: (any Transport)?, _ conversation: Conversation) {
        self.transport = transport
        self.gateway = gateway
        self.conversation = conversation
    }

    deinit { close() }

    /// Connects, checks the host key, and only then logs in.
    ///
    /// - Parameters:
    ///   - gateway: the host through which the endpoint is reached.
    ///   - interruption: ends the opening and, later, every call of this session.
    package static func open(
        _ endpoint: SSHEndpoint, as login: SSHLogin, via gateway: (endpoint: SSHEndpoint, login: SSHLogin)? = nil,
        limits: SSHLimits = SSHLimits(), interruption: Interruption? = nil
    ) throws(SSHFault) -> SSHSession {
        let conversation = Conversation(limits.conversation)
        let route = Route(gateway: gateway, limits: limits, conversation: conversation, interruption: interruption)
        let (transport, carrier) = try route.open(endpoint, as: login)
        return SSHSession(transport, gateway: carrier, conversation)
    }

    /// SHA-256 of the host key that was seen, `SHA256:…`.
    package var hostKey: String { transport.hostKey }

    /// `password`, `publickey`, `keyboard-interactive`, or `none`: then the host asked for no proof, and the secret was not sent.
    package var authenticatedBy: String { transport.authenticatedBy }

    /// Runs a command and waits for its end. A status other than 0 is a result and not a fault.
    package func run(_ command: SSHCommand) throws(SSHFault) -> SSHResult {
        try exchange(command.line, onTerminal: false, limit: command.limit, outputLimit: command.outputLimit) {
            (exchange) throws(SSHFault) in
            try exchange.run(input: command.input)
        }
    }

    /// Runs a command on a terminal and answers what it asks.
    package func dialogue(_ dialogue: SSHDialogue) throws(SSHFault) -> SSHDialogueResult {
        try exchange(dialogue.line, onTerminal: true, limit: dialogue.limit, outputLimit: dialogue.outputLimit) {
            (exchange) throws(SSHFault) in
            try exchange.converse(dialogue.steps, breakingOffAt: dialogue.foreignPrompt)
        }
    }

    /// Talks to a command that stays, such as a shell: starting one costs the host more than most of what it is told.
    ///
    /// Only one stays. Another line than the last time starts a new one in its place, and so does a talk after one that failed or
    /// was asked for input: what was left of that must not be taken for an answer to this, or for a command.
    package func talk(_ talk: SSHTalk, to line: String) throws(SSHFault) -> SSHTalkResult {
        let outcome = turn.withLock { standing in
            do throws(SSHFault) {
                let deadline = conversation.deadline(talk.limit)
                if deadline.hasPassed { throw SSHFault(.timedOut) }
                // One that hears another line goes before: hosts may allow one at a time.
                if standing?.line != line { standing = nil }
                let partner = try self.partner(line, standing, deadline)
                standing = nil
                var exchange = CommandExchange(partner.channel, limit: deadline, outputLimit: talk.outputLimit)
                let result: SSHTalkResult
                do throws(SSHFault) {
                    result = try exchange.talk(talk)
                } catch {
                    throw error.afterSending()
                }
                // What was asked for input may not have read all of it, and the next to read must not be a shell.
                if !result.hasEnded, talk.steps.isEmpty { standing = partner }
                return Swift.Result<SSHTalkResult, SSHFault>.success(result)
            } catch {
                return .failure(conversation.explained(error))
            }
        }
        return try outcome.get()
    }

    private func partner(_ line: String, _ standing: Standing?, _ deadline: Deadline) throws(SSHFault) -> Standing {
        guard let standing, standing.line == line else {
            return Standing(line, try transport.start(line, onTerminal: false, deadline))
        }
        transport.extend(deadline)
        return standing
    }

    /// Ends the connection; whatever waits on it fails.
    package func close() {
        transport.interrupt()
        gateway?.interrupt()
        turn.withLock { standing in
            standing = nil
            transport.close()
            gateway?.close()
        }
    }

    private func exchange<Output>(
        _ line: String, onTerminal: Bool, limit: Duration, outputLimit: Int,
        _ body: (inout CommandExchange) throws(SSHFault) -> Output
    ) throws(SSHFault) -> Output {
        let outcome = turn.withLock { _ in
            do throws(SSHFault) {
                let deadline = conversation.deadline(limit)
                if deadline.hasPassed { throw SSHFault(.timedOut) }
                let channel = try transport.start(line, onTerminal: onTerminal, deadline)
                defer { channel.abandon() }
                var exchange = CommandExchange(channel, limit: deadline, outputLimit: outputLimit)
                do throws(SSHFault) {
                    return Swift.Result<Output, SSHFault>.success(try body(&exchange))
                } catch {
                    throw error.afterSending()
                }
            } catch {
                return .failure(conversation.explained(error))
            }
        }
        return try outcome.get()
    }
}
