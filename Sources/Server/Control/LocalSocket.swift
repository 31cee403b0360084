internal import Cryptography
internal import Glibc

/// A local stream socket (unix(7)) that closes itself.
struct LocalSocket: ~Copyable {
    let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Takes over a descriptor that somebody else gave away.
    static func adopt(_ descriptor: Int32) -> LocalSocket { LocalSocket(descriptor) }

    /// Gives the descriptor away.
    consuming func release() -> Int32 {
        let given = descriptor
        discard self
        return given
    }

    // MARK: - Making

    /// Binds a socket file (0600) in place of one that a former server left. The data directory's lock is held.
    static func listen(at path: String) throws(ControlFault) -> LocalSocket {
        var status = stat()
        if lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFSOCK else {
                throw ControlFault("socket", "\(path) is not a socket; move it away")
            }
            unlink(path)
        }
        let socket = try open()
        try withAddress(path) { address, length in
            // The directory is 0700, so nobody reaches the socket before its mode is set.
            bind(socket.descriptor, address, length)
        }
        guard chmod(path, 0o600) == 0, Glibc.listen(socket.descriptor, 128) == 0 else { throw system("listen on " + path) }
        return socket
    }

    static func connect(to path: String) throws(ControlFault) -> LocalSocket {
        let socket = try open()
        try withAddress(path) { address, length in Glibc.connect(socket.descriptor, address, length) }
        return socket
    }

    private static func open() throws(ControlFault) -> LocalSocket {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw system("socket") }
        return LocalSocket(descriptor)
    }

    /// Calls with the socket's address. A path that is too long for one is reached through its directory's descriptor.
    private static func withAddress(
        _ path: String, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(ControlFault) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        var short = path
        var directory: Int32 = -1
        defer { if directory >= 0 { close(directory) } }
        if path.utf8.count >= room, let slash = path.lastIndex(of: "/") {
            directory = Glibc.open(String(path[...slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard directory >= 0 else { throw system("open " + path) }
            short = "/proc/self/fd/\(directory)" + path[slash...]
        }
        guard short.utf8.count < room else { throw ControlFault("socket", "the path is too long for a socket: \(path)") }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: short.utf8) }
        let code = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard code == 0 else { throw system(path) }
    }

    static func system(_ operation: String) -> ControlFault {
        let number = errno
        let code = number == ENOENT || number == ECONNREFUSED ? "not_running" : "socket"
        return ControlFault(code, operation + ": " + String(cString: strerror(number)))
    }

    // MARK: - Peer

    /// The user of the process at the other end (SO_PEERCRED, unix(7)): pid, uid and gid, 32 bits each.
    var peerUser: uid_t? {
        var credentials: (Int32, UInt32, UInt32) = (0, 0, 0)
        var length = socklen_t(12)
        let code = withUnsafeMutableBytes(of: &credentials) {
            getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, $0.baseAddress, &length)
        }
        return code == 0 && length == 12 ? credentials.1 : nil
    }

    // MARK: - Lines

    /// What came of waiting for a line.
    enum Received: ~Copyable {
        /// Without its line feed.
        case line(Secret)
        /// The peer left without a word.
        case nothing
        /// The line is too long, the peer left in the middle of it, or the time is over.
        case noLine
    }

    /// Reads up to a line feed.
    func readLine(limit: Int, within time: Duration) -> Received {
        let deadline = ContinuousClock.now + time
        var isWhole = false
        var hasLeft = false
        let line = Secret(capacity: limit) { buffer in
            var count = 0
            while count < buffer.count, wait(POLLIN, until: deadline) {
                let got = recv(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count, Int32(MSG_DONTWAIT))
                if got < 0, errno == EINTR || errno == EAGAIN { continue }
                guard got > 0 else {
                    hasLeft = count == 0
                    return 0
                }
                let end = buffer[count..<(count + got)].firstIndex(of: UInt8(ascii: "\n"))
                if let end {
                    isWhole = true
                    return end
                }
                count += got
            }
            return 0
        }
        if isWhole { return .line(line) }
        return hasLeft ? .nothing : .noLine
    }

    /// Writes everything; false if the peer leaves or the time is over.
    func write(_ bytes: UnsafeRawBufferPointer, within time: Duration) -> Bool {
        let deadline = ContinuousClock.now + time
        var sent = 0
        while sent < bytes.count {
            guard wait(POLLOUT, until: deadline) else { return false }
            let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            let count = send(descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, flags)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private func wait(_ events: Int32, until deadline: ContinuousClock.Instant) -> Bool {
        while true {
            let left = (deadline - ContinuousClock.now).components
            guard left.seconds >= 0, left.attoseconds >= 0 else { return false }
            let milliseconds =
                left.seconds.multipliedReportingOverflow(by: 1000).partialValue + left.attoseconds / 1_000_000_000_000_000
            var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
            let count = poll(&entry, 1, Int32(clamping: milliseconds + 1))
            if count < 0, errno == EINTR { continue }
            return count > 0
        }
    }
}
