internal import Glibc
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
    private let turn = Mutex(Turn())

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

    private struct Turn {
        var standing: Standing?
        /// Whether the host has run something of this session.
        var hasRun = false
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
    /// Nor is one heard that was ended meanwhile, by the host or by somebody there: as long as it was told nothing, a new one is told.
    package func talk(_ talk: SSHTalk, to line: String) throws(SSHFault) -> SSHTalkResult {
        let outcome = turn.withLock { turn in
            do throws(SSHFault) {
                let deadline = conversation.deadline(talk.limit)
                if deadline.hasPassed { throw SSHFault(.timedOut) }
                // One that hears another line goes before: hosts may allow one at a time.
                if turn.standing?.line != line { turn.standing = nil }
                let wasStanding = turn.standing != nil
                let result = try self.tell(talk, line, &turn, deadline)
                guard wasStanding else { return Swift.Result<SSHTalkResult, SSHFault>.success(result) }
                guard result.hasEnded, !result.wasSent else { return .success(result.ofStanding()) }
                return .success(try self.tell(talk, line, &turn, deadline))
            } catch {
                return .failure(conversation.explained(error))
            }
        }
        return try outcome.get()
    }

    private func tell(_ talk: SSHTalk, _ line: String, _ turn: inout Turn, _ deadline: Deadline) throws(SSHFault) -> SSHTalkResult
    {
        let partner: Standing
        if let standing = turn.standing {
            transport.extend(deadline)
            partner = standing
        } else {
            partner = Standing(line, try start(line, onTerminal: false, &turn, deadline))
        }
        turn.standing = nil
        var exchange = CommandExchange(partner.channel, limit: deadline, outputLimit: talk.outputLimit)
        let result: SSHTalkResult
        do throws(SSHFault) {
            result = try exchange.talk(talk)
        } catch {
            throw error.afterSending()
        }
        // What was asked for input may not have read all of it, and the next to read must not be a shell.
        if !result.hasEnded, talk.steps.isEmpty { turn.standing = partner }
        return result
    }

    /// Has the host run a command; where it allows one at a time, in the place of the one that stays.
    ///
    /// A host counts one that was ended until its process has gone, so that it may refuse the next one for a moment.
    private func start(_ line: String, onTerminal: Bool, _ turn: inout Turn, _ deadline: Deadline) throws(SSHFault)
        -> any CommandChannel
    {
        var pauses = Self.pauses[...]
        while true {
            do throws(SSHFault) {
                let channel = try transport.start(line, onTerminal: onTerminal, deadline)
                turn.hasRun = true
                return channel
            } catch {
                guard error.kind == .sessionRefused, turn.hasRun, !deadline.hasPassed, let pause = pauses.popFirst() else {
                    throw error
                }
                turn.standing = nil
                usleep(pause)
            }
        }
    }

    /// In microseconds: five seconds in all.
    private static let pauses: [UInt32] = [5, 10, 20, 40, 80, 150, 300, 500, 900, 1500, 1500].map { $0 * 1000 }

    /// Ends the connection; whatever waits on it fails.
    package func close() {
        transport.interrupt()
        gateway?.interrupt()
        turn.withLock { turn in
            turn.standing = nil
            transport.close()
            gateway?.close()
        }
    }

    private func exchange<Output>(
        _ line: String, onTerminal: Bool, limit: Duration, outputLimit: Int,
        _ body: (inout CommandExchange) throws(SSHFault) -> Output
    ) throws(SSHFault) -> Output {
        let outcome = turn.withLock { turn in
            do throws(SSHFault) {
                let deadline = conversation.deadline(limit)
                if deadline.hasPassed { throw SSHFault(.timedOut) }
                let channel = try start(line, onTerminal: onTerminal, &turn, deadline)
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
