internal import Cryptography
internal import Glibc
internal import Threads

/// An SSH connection that an `ssh` program speaks. Calls come one at a time; only `interrupt` may come at any time.
// `@unchecked Sendable`: the process is used by one thread at a time, which `SSHSession` sees to; descriptors may be shut down by any.
final class ProgramSession: Transport, @unchecked Sendable {
    let process: ClientProcess
    let hostKey: String
    let authenticatedBy: String
    private let connection: Descriptor
    private let directory: PrivateDirectory
    private let interruption: Interruption?
    private let stop: UInt64?
    /// Forwardings end when their multiplexer's connection does.
    private var forwardings: [Multiplexer] = []

    /// Takes over a program that has logged in.
    init(_ login: ProgramLogin.Outcome, connection: Descriptor, directory: PrivateDirectory, interruption: Interruption?) {
        process = login.process
        hostKey = login.hostKey
        authenticatedBy = login.method
        self.connection = connection
        self.directory = directory
        self.interruption = interruption
        stop = interruption?.onFire { connection.shutDown() }
    }

    deinit {
        if let stop { interruption?.forget(stop) }
        close()
    }

    func start(_ line: String, onTerminal: Bool, _ deadline: Deadline) throws(SSHFault) -> any CommandChannel {
        let multiplexer = try openMultiplexer(deadline)
        return try ProgramChannel(self, multiplexer, line: line, onTerminal: onTerminal, deadline)
    }

    /// The program has no limits of its own.
    func extend(_ deadline: Deadline) {}

    func forward(to host: String, port: Int, _ deadline: Deadline) throws(SSHFault) -> Descriptor {
        let multiplexer = try openMultiplexer(deadline)
        let (ours, theirs) = try Descriptor.socketPair()
        try multiplexer.open(
            MultiplexRequest.forwarding(to: host, port: port, number: 1), with: [theirs, theirs], deadline)
        forwardings.append(multiplexer)
        return ours
    }

    private func openMultiplexer(_ deadline: Deadline) throws(SSHFault) -> Multiplexer {
        try checkInterruption()
        drain()
        guard !process.isOver, let multiplexer = try Multiplexer.connect(directory.file("control"), deadline) else {
            throw explained(SSHFault(.cut, words: "the connection has ended"))
        }
        return multiplexer
    }

    func checkInterruption() throws(SSHFault) {
        if interruption?.hasFired == true { throw SSHFault(.interrupted) }
    }

    /// Takes what the program says, so that it never waits for us to read.
    func drain() {
        process.listen()
        process.forgetQuestions()
    }

    /// Whether the program still speaks for the connection.
    func isAlive(_ deadline: Deadline) -> Bool {
        guard let multiplexer = try? Multiplexer.connect(directory.file("control"), deadline),
            (try? multiplexer.send(MultiplexRequest.aliveCheck(number: 2), deadline)) != nil
        else { return false }
        return (try? multiplexer.reply(deadline)) == .alive
    }

    /// A fault in which the program had no say, with what it said.
    func explained(_ fault: SSHFault) -> SSHFault {
        if interruption?.hasFired == true { return SSHFault(.interrupted, sent: fault.sent) }
        process.listen()
        let line = String(decoding: process.said, as: UTF8.self).split(whereSeparator: \.isNewline).last.map(String.init)
        return SSHFault(fault.kind, at: fault.place, sent: fault.sent, words: line ?? fault.words)
    }

    func interrupt() { connection.shutDown() }

    func close() {
        connection.shutDown()
        process.end()
        forwardings = []
    }
}
