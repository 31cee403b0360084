internal import CSSH
internal import Glibc

/// A command on a channel of libssh2.
final class LibraryChannel: CommandChannel {
    private let session: LibrarySession
    private let channel: OpaquePointer
    private let onTerminal: Bool
    private var hasSentEnd = false
    /// Whether the last wait found something that had come in already, and nothing was read since.
    private var hasLooked = false

    /// Opens the channel and starts the command.
    init(_ session: LibrarySession, line: String, onTerminal: Bool, _ deadline: Deadline) throws(SSHFault) {
        self.session = session
        self.onTerminal = onTerminal
        let kind = "session"
        do throws(SSHFault) {
            channel = try session.completePointer(deadline) {
                libssh2_channel_open_ex(
                    session.handle, kind, UInt32(kind.utf8.count), LibrarySession.window,
                    UInt32(LIBSSH2_CHANNEL_PACKET_DEFAULT), nil, 0)
            }
        } catch {
            throw error.kind == .unreachable ? SSHFault(.sessionRefused, words: error.words) : error
        }
        if onTerminal { try requestTerminal(deadline) }
        let request = "exec"
        let line = line.utf8.map { CChar(bitPattern: $0) }
        var isSent = false
        do throws(SSHFault) {
            try session.complete(deadline) {
                let code = libssh2_channel_process_startup(
                    channel, request, UInt32(request.utf8.count), line, UInt32(clamping: line.count))
                isSent = true
                return code
            }
        } catch {
            throw isSent ? error.afterSending() : error
        }
    }

    deinit { libssh2_channel_free(channel) }

    private func requestTerminal(_ deadline: Deadline) throws(SSHFault) {
        let terminal = "dumb"
        let modes = TerminalModes.quiet.map { CChar(bitPattern: $0) }
        try session.complete(deadline) {
            libssh2_channel_request_pty_ex(
                channel, terminal, UInt32(terminal.utf8.count), modes, UInt32(modes.count), 200, 50, 0, 0)
        }
    }

    func read(_ stream: CommandStream, into buffer: UnsafeMutableRawBufferPointer) throws(SSHFault) -> Int? {
        let number: Int32 = stream == .error ? SSH_EXTENDED_DATA_STDERR : 0
        let count = libssh2_channel_read_ex(
            channel, number, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count)
        if count > 0 {
            hasLooked = false
            return count
        }
        if count == 0 { return libssh2_channel_eof(channel) == 1 ? nil : 0 }
        guard count == Int(LIBSSH2_ERROR_EAGAIN) else { throw session.fault(Int32(clamping: count)) }
        return libssh2_channel_eof(channel) == 1 ? nil : 0
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(SSHFault) -> Int? {
        if libssh2_channel_eof(channel) == 1 { return nil }
        let count = libssh2_channel_write_ex(
            channel, 0, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), min(bytes.count, 32 * 1024))
        if count >= 0 { return count }
        switch Int32(clamping: count) {
        case LIBSSH2_ERROR_EAGAIN, LIBSSH2_ERROR_CHANNEL_WINDOW_FULL: return 0
        // The command has ended without reading its input; what it wrote is still to be read.
        case LIBSSH2_ERROR_CHANNEL_CLOSED, LIBSSH2_ERROR_CHANNEL_EOF_SENT: return nil
        default: throw session.fault(Int32(clamping: count))
        }
    }

    func closeInput() throws(SSHFault) -> Bool {
        guard !hasSentEnd else { return true }
        let code = libssh2_channel_send_eof(channel)
        if code == LIBSSH2_ERROR_EAGAIN { return false }
        if code != 0, code != LIBSSH2_ERROR_CHANNEL_CLOSED { throw session.fault(code) }
        hasSentEnd = true
        return true
    }

    func wait(writing: Bool, _ deadline: Deadline) throws(SSHFault) {
        // Whatever reads from the connection, for the other stream or to write, may have taken in what this channel is waiting for: then
        // the socket has nothing more to tell. Once only: what is still there then is nothing that anybody reads.
        if !hasLooked, libssh2_poll_channel_read(channel, 1) == 1 {
            hasLooked = true
            return
        }
        try session.wait(deadline)
    }

    func finish(_ deadline: Deadline) throws(SSHFault) -> (status: Int32?, signal: String?) {
        // The status comes before the host closes the channel (RFC 4254 section 6.10), and not if we close it first.
        try session.complete(deadline) { libssh2_channel_wait_closed(channel) }
        var name: UnsafeMutablePointer<CChar>?
        var length = 0
        libssh2_channel_get_exit_signal(channel, &name, &length, nil, nil, nil, nil)
        if let name {
            defer { libssh2_free(session.handle, name) }
            return (nil, PrintableWords.of(UnsafeRawBufferPointer(start: name, count: min(length, 64))))
        }
        return (libssh2_channel_get_exit_status(channel), nil)
    }

    func abandon() {
        // A command that still runs keeps its channel; one call tells the host that nobody listens, without waiting.
        _ = libssh2_channel_close(channel)
    }
}

/// Modes of a remote terminal (RFC 4254 section 8).
enum TerminalModes {
    /// Lines, no echo, nothing translated on the way out.
    static let quiet: [UInt8] = {
        let modes: [(UInt8, UInt32)] = [
            // ISIG, ICANON on; ECHO, ECHOE, ECHOK, ECHONL, ECHOCTL, ECHOKE off.
            (50, 1), (51, 1), (53, 0), (54, 0), (55, 0), (56, 0), (60, 0), (61, 0),
            // IXON, OPOST, ONLCR off; eight bits.
            (38, 0), (70, 0), (72, 0), (91, 1),
        ]
        var bytes: [UInt8] = []
        for (code, value) in modes {
            bytes.append(code)
            bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
        }
        return bytes + [0]
    }()
}
