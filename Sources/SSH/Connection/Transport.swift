/// One authenticated connection, whoever speaks the protocol. Calls come one at a time, apart from `interrupt`.
protocol Transport: AnyObject, Sendable {
    var hostKey: String { get }
    var authenticatedBy: String { get }

    /// Starts a command; on a terminal without echo where it is to talk. After it has returned, or has failed with `sent`, the command
    /// may run.
    func start(_ line: String, onTerminal: Bool, _ deadline: Deadline) throws(SSHFault) -> any CommandChannel

    /// Gives a command that was started before time until then.
    func extend(_ deadline: Deadline)

    /// Has the host connect on, and returns our end. The transport serves nothing else from then on.
    func forward(to host: String, port: Int, _ deadline: Deadline) throws(SSHFault) -> Descriptor

    /// Ends whatever waits, from any thread; the connection is of no use afterwards.
    func interrupt()

    func close()
}
