internal import Cryptography
internal import Glibc
internal import Threads

/// Starts an `ssh` program on a connection, and answers what it asks until it has logged in.
struct ProgramLogin {
    struct Outcome {
        let process: ClientProcess
        let hostKey: String
        let method: String
    }

    private let endpoint: SSHEndpoint
    private let login: SSHLogin
    private let method: String
    private let process: ClientProcess
    private let agent: Agent?
    private let control: String
    private let accepted: AcceptedKey
    private var isPasswordSent = false

    /// The host key that was shown and accepted; shared with the agent.
    private final class AcceptedKey {
        var fingerprint: String?
    }

    init(
        _ endpoint: SSHEndpoint, _ login: SSHLogin, method: String, key: SSHSigningKey?, hostKeys: [HostKeyType],
        connection: Descriptor, directory: PrivateDirectory
    ) throws(SSHFault) {
        self.endpoint = endpoint
        self.login = login
        self.method = method
        control = directory.file("control")
        let accepted = AcceptedKey()
        self.accepted = accepted
        if let key {
            agent = try Agent(key, username: login.username, path: directory.file("agent")) { $0 == accepted.fingerprint }
        } else {
            agent = nil
        }
        let arguments = ClientArguments(
            username: login.username, hostKeys: hostKeys, method: method, control: control,
            agent: key == nil ? nil : directory.file("agent"))
        process = try ClientProcess(arguments: arguments.list, environment: ClientArguments.environment, connection: connection)
    }

    /// Waits for the end of the login, one way or the other.
    mutating func run(_ deadline: Deadline, interruption: Interruption?) throws(SSHFault) -> Outcome {
        while true {
            if interruption?.hasFired == true { throw SSHFault(.interrupted) }
            let isOver = process.isOver
            process.listen()
            agent?.step(for: process.number)
            if let outcome = try outcome(deadline) { return outcome }
            if isOver { throw ClientWords(process.said).fault(method: method, hasOfferedSecret: hasOfferedSecret) }
            try answer()
            if deadline.hasPassed { throw SSHFault(.timedOut, words: "the login took too long") }
            let wishes = [Poll.Wish(process.terminal, reads: true), .init(process.errors, reads: process.isTalking)]
            _ = Poll.wait(wishes + (agent?.wishes ?? []), milliseconds: min(deadline.milliseconds, 20))
        }
    }

    /// Whether the password was written, or something signed with the key.
    var hasOfferedSecret: Bool { isPasswordSent || (agent?.signatureCount ?? 0) > 0 }

    /// The program listens for commands once it has logged in.
    private func outcome(_ deadline: Deadline) throws(SSHFault) -> Outcome? {
        guard let used = ClientWords(process.said).methodUsed, try Multiplexer.connect(control, deadline) != nil else {
            return nil
        }
        guard let fingerprint = accepted.fingerprint else { throw SSHFault(.protocolError, words: "no host key was shown") }
        process.forgetQuestions()
        return Outcome(process: process, hostKey: fingerprint, method: used)
    }

    private mutating func answer() throws(SSHFault) {
        let question = String(decoding: process.asked, as: UTF8.self)
        if accepted.fingerprint == nil {
            guard question.contains("(yes/no"), let seen = ClientWords.fingerprint(in: question) else { return }
            if let objection = endpoint.objection(to: seen) { throw SSHFault(objection) }
            accepted.fingerprint = seen
            process.forgetQuestions()
            // The program compares the answer with the key that it has seen.
            try write(.text(seen + "\n"))
        } else if let last = question.split(whereSeparator: \.isNewline).last, question.hasSuffix(": "), last.contains("assword")
        {
            process.forgetQuestions()
            guard method != "publickey" else { throw SSHFault(.protocolError, words: "a password was asked for") }
            // The program makes one attempt, so this is no second one: the host wants something else, such as a new password.
            if isPasswordSent { throw SSHFault(.moreNeeded(methods: [method]), words: "the host also asks: \(last)") }
            isPasswordSent = true
            try write(.secret(login.secret))
            try write(.text("\n"))
        } else if question.hasSuffix(": ") {
            throw SSHFault(.moreNeeded(methods: [method]), words: "the host also asks: \(question)")
        }
    }

    /// A line is far smaller than a terminal's buffer.
    private func write(_ answer: SSHInput) throws(SSHFault) {
        let isTaken = answer.withBytes { process.terminal.write($0) == $0.count }
        guard isTaken else { throw SSHFault(.localFailure, words: "the ssh program takes no answer") }
    }
}
