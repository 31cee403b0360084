internal import CPostgresShim
internal import Glibc

/// Stands between libpq and a server without TLS until the login is done, so that libpq meets no request for the password but SCRAM.
///
/// libpq 15 answers whatever a server asks, in clear too, and in the middle of SCRAM (`require_auth` came with 16). So its socket is
/// exchanged for one end of a pair, and each message of the server is judged before libpq sees it (protocol 3, manual 55.2 and 55.7).
/// Once the server has said that the login is good, libpq gets its own socket back.
final class ScramGate {
    /// The number under which libpq knows its socket.
    private let number: Int32
    /// The socket to the server.
    private var server: Int32
    /// Our end of the pair.
    private var inner: Int32
    private var stage = Stage.start

    private enum Stage {
        case start
        case begun
        case proved
        case done
    }

    private static let longestMessage = 16_384

    init(onto number: Int32) throws(PostgresFault) {
        self.number = number
        var ends: [Int32] = [-1, -1]
        let server = pq_shim_duplicate(number)
        let code = pq_shim_pair(&ends)
        guard server >= 0, code == 0 else {
            if server >= 0 { close(server) }
            throw PostgresFault(.unreachable, "no descriptors are left")
        }
        self.server = server
        inner = ends[1]
        let replaced = pq_shim_replace(number, ends[0])
        close(ends[0])
        guard replaced == 0 else { throw PostgresFault(.unreachable, String(cString: strerror(replaced))) }
    }

    deinit {
        if server >= 0 { close(server) }
        if inner >= 0 { close(inner) }
    }

    /// Whether libpq has its own socket again.
    var isOpen: Bool { stage == .done && server < 0 }

    /// Carries what libpq has written to the server.
    func carryOut(until deadline: ContinuousClock.Instant) throws(PostgresFault) {
        guard server >= 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(inner, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return }
            try write(buffer[..<count], to: server, until: deadline)
        }
    }

    /// Brings libpq the server's next message, when libpq has read all before it; or its own socket, when the login is done.
    func carryIn(until deadline: ContinuousClock.Instant) throws(PostgresFault) {
        guard server >= 0 else { return }
        if stage == .done {
            guard pq_shim_replace(number, server) == 0 else { throw PostgresFault(.cut, "the socket cannot be given back") }
            close(server)
            server = -1
            return
        }
        var message = try read(5, until: deadline)
        let length = Self.number(message[1...])
        guard (4...Self.longestMessage).contains(length) else {
            throw PostgresFault(.brokenProtocol, "a message of \(length) bytes")
        }
        message += try read(length - 4, until: deadline)
        try judge(message)
        try write(message[...], to: inner, until: deadline)
    }

    /// Refuses whatever would make libpq show the password, and a login that proves nothing.
    private func judge(_ message: [UInt8]) throws(PostgresFault) {
        switch message[0] {
        case UInt8(ascii: "R"): break
        case UInt8(ascii: "E"), UInt8(ascii: "N"), UInt8(ascii: "v"): return
        default: throw PostgresFault(.brokenProtocol, "an unexpected message before the login is done")
        }
        guard message.count >= 9 else { throw PostgresFault(.brokenProtocol, "a short request") }
        switch (Self.number(message[5..<9]), stage) {
        case (10, .start): stage = .begun
        case (11, .begun): break
        case (12, .begun): stage = .proved
        case (0, .proved): stage = .done
        case (0, .start): throw PostgresFault(.notAsked, "the server asks for no password")
        case (3, _): throw PostgresFault(.noSafeChannel, "the server asks for the password in clear, on a connection without TLS")
        case (5, _): throw PostgresFault(.noSafeChannel, "the server asks for an MD5 answer, on a connection without TLS")
        case (10, _), (11, _), (12, _), (0, _): throw PostgresFault(.brokenProtocol, "SCRAM out of order")
        default: throw PostgresFault(.noSafeChannel, "the server asks for another proof than SCRAM, on a connection without TLS")
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) }
    }

    private func read(_ count: Int, until deadline: ContinuousClock.Instant) throws(PostgresFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            try PostgresSocket.wait(server, .readable, until: deadline)
            let got = bytes.withUnsafeMutableBytes { recv(server, $0.baseAddress?.advanced(by: filled), count - filled, 0) }
            if got == 0 { throw PostgresFault(.cut, "the server ended the connection") }
            if got < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                throw PostgresFault(.cut, String(cString: strerror(errno)))
            }
            filled += got
        }
        return bytes
    }

    private func write(_ bytes: ArraySlice<UInt8>, to socket: Int32, until deadline: ContinuousClock.Instant)
        throws(PostgresFault)
    {
        var left = bytes
        while !left.isEmpty {
            try PostgresSocket.wait(socket, .writable, until: deadline)
            let sent = left.withUnsafeBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if sent < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                throw PostgresFault(.cut, String(cString: strerror(errno)))
            }
            left = left.dropFirst(sent)
        }
    }
}
