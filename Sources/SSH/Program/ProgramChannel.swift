internal import CSSHShim
internal import Glibc

/// A command that an `ssh` program carries.
final class ProgramChannel: CommandChannel {
    private let session: ProgramSession
    private let multiplexer: Multiplexer
    private let input: Descriptor
    private let output: Descriptor
    private let errors: Descriptor
    private let onTerminal: Bool
    private var isOutputOpen = true
    private var isErrorOpen = true

    init(_ session: ProgramSession, _ multiplexer: Multiplexer, line: String, onTerminal: Bool, _ deadline: Deadline)
        throws(SSHFault)
    {
        let (ours, theirs) = onTerminal ? try Self.terminal() : try Descriptor.socketPair()
        let (output, outputEnd) = try Descriptor.pipe()
        let (errors, errorEnd) = try Descriptor.pipe()
        self.session = session
        self.multiplexer = multiplexer
        self.onTerminal = onTerminal
        input = ours
        self.output = output
        self.errors = errors
        for descriptor in [ours, output, errors] { descriptor.makeNonBlocking() }
        let request = MultiplexRequest.session(line, onTerminal: onTerminal, number: 1)
        do throws(SSHFault) {
            try multiplexer.open(request, with: [theirs, outputEnd, errorEnd], deadline)
        } catch {
            throw error.kind == .unreachable
                ? SSHFault(.sessionRefused, words: error.words) : session.explained(error).afterSending()
        }
        // The host's terminal has been given the modes of ours; from here on ours only carries bytes.
        if onTerminal { _ = kssh_terminal_make_raw(theirs.number) }
    }

    /// Its controlling side, and the side that the program takes for the user's.
    private static func terminal() throws(SSHFault) -> (Descriptor, Descriptor) {
        let (controlling, name) = try ClientProcess.openTerminal()
        let number = kssh_terminal_other_side(name)
        guard number >= 0 else { throw .system("terminal") }
        return (controlling, Descriptor(number))
    }

    func read(_ stream: CommandStream, into buffer: UnsafeMutableRawBufferPointer) throws(SSHFault) -> Int? {
        switch (stream == .output ? output : errors).read(into: buffer) {
        case .count(let count): return count
        case .nothingYet: return 0
        case .ended:
            if stream == .output { isOutputOpen = false } else { isErrorOpen = false }
            return nil
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SSHFault) -> Int? {
        input.write(UnsafeRawBufferPointer(rebasing: bytes.prefix(4096)))
    }

    func closeInput() throws(SSHFault) -> Bool {
        if !onTerminal { _ = shutdown(input.number, Int32(SHUT_WR)) }
        return true
    }

    func wait(writing: Bool, _ deadline: Deadline) throws(SSHFault) {
        try session.checkInterruption()
        session.drain()
        _ = Poll.wait(
            [
                .init(output, reads: isOutputOpen), .init(errors, reads: isErrorOpen), .init(input, writes: writing),
                .init(session.process.errors, reads: session.process.isTalking),
            ], milliseconds: deadline.milliseconds)
    }

    func finish(_ deadline: Deadline) throws(SSHFault) -> (status: Int32?, signal: String?) {
        while true {
            switch try multiplexer.reply(deadline) {
            case .ended(let status): return (Int32(truncatingIfNeeded: status), nil)
            case nil:
                // Without a status: a signal ended the command, or the connection is gone.
                guard session.isAlive(deadline) else {
                    throw session.explained(SSHFault(.cut, words: "the connection has ended"))
                }
                return (nil, nil)
            default: continue
            }
        }
    }

    func abandon() { multiplexer.socket.shutDown() }
}
