import Glibc

/// A socket whose connection is over, while its client may still be sending.
struct LingeringSocket {
    let descriptor: Int32
    let peer: PeerAddress
    let deadline: MonotonicTime
    /// Bytes that may still come.
    var allowance: Int

    /// Has the kernel throw away what has come, up to a count; false when nothing more is to be expected.
    mutating func drop(upTo limit: Int) -> Bool {
        let count = recv(descriptor, nil, min(limit, allowance), Int32(MSG_TRUNC) | Int32(MSG_DONTWAIT))
        guard count > 0 else { return count < 0 && (errno == EAGAIN || errno == EINTR) }
        allowance -= count
        return allowance > 0
    }
}

/// Connections that end with an answer before their request was read to its end (RFC 9112, 9.6).
///
/// Closing a socket with unread bytes resets the connection, and the client loses the answer that it has not read yet. So the sending side
/// is closed, and what still comes is thrown away for a short time, unseen: the kernel drops it, no memory is needed. Meanwhile the
/// connection keeps its place in the quota, so this is no way to more connections than the limits allow.
extension Loop {
    /// Sockets of one loop that linger at once; the oldest makes room.
    private static let lingeringAtOnce = 64
    /// Bytes that one socket drops a pass.
    private static let droppedAtOnce = 1 << 20

    /// Takes over the socket of a connection that libmicrohttpd is about to close; false where there is nothing to wait for.
    func linger(_ connection: Connection) -> Bool {
        guard connection.endsEarly, !connection.isCut else { return false }
        // The library closes its own descriptor, and takes it out of its epoll set before.
        let copy = fcntl(connection.socket, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return false }
        shutdown(copy, Int32(SHUT_WR))
        if lingering.count >= Self.lingeringAtOnce { close(lingering.removeFirst()) }
        lingering.append(
            LingeringSocket(
                descriptor: copy, peer: connection.peer, deadline: passStart.advanced(by: deadlines.linger),
                allowance: settings.limits.lingerBytes))
        return true
    }

    /// Drops what has come, and closes what is over.
    func dropLate() {
        guard !lingering.isEmpty else { return }
        for index in lingering.indices.reversed() {
            if lingering[index].drop(upTo: Self.droppedAtOnce), passStart < lingering[index].deadline { continue }
            close(lingering.remove(at: index))
        }
    }

    /// Closes all of them: the loop ends.
    func endLingering() {
        for socket in lingering { close(socket) }
        lingering = []
    }

    private func close(_ socket: LingeringSocket) {
        Glibc.close(socket.descriptor)
        settings.quota.giveBack(socket.peer)
    }
}
