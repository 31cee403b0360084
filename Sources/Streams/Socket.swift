internal import Glibc

/// A TCP socket to a server, non-blocking, of which every wait has an end.
final class Socket {
    let number: Int32

    /// Connects to the first of the name's addresses that answers.
    init(to host: String, port: Int, until deadline: ContinuousClock.Instant) throws(TransportFault) {
        guard !host.isEmpty, !host.utf8.contains(where: { $0 <= 0x20 }), (1...65_535).contains(port) else {
            throw TransportFault(.badInput, "not a host and a port")
        }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, "\(port)", &hints, &found)
        guard code == 0, let first = found else { throw TransportFault(.unreachable, String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(first) }
        var last = TransportFault(.unreachable, "the name has no address")
        var entry: UnsafeMutablePointer<addrinfo>? = first
        while let address = entry {
            do throws(TransportFault) {
                number = try Self.connected(address.pointee, until: deadline)
                return
            } catch { last = error }
            entry = address.pointee.ai_next
        }
        throw last
    }

    deinit { close(number) }

    private static func connected(_ address: addrinfo, until deadline: ContinuousClock.Instant) throws(TransportFault) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let number = socket(address.ai_family, kind, address.ai_protocol)
        guard number >= 0 else { throw TransportFault(.unreachable, text(errno)) }
        do throws(TransportFault) {
            if connect(number, address.ai_addr, address.ai_addrlen) != 0 {
                guard errno == EINPROGRESS else { throw TransportFault(.unreachable, text(errno)) }
                do throws(TransportFault) { try wait(number, POLLOUT, until: deadline) } catch {
                    throw TransportFault(.unreachable, "no connection in time")
                }
            }
            var code: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &length)
            guard code == 0 else { throw TransportFault(.unreachable, text(code)) }
            var on: Int32 = 1
            setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            return number
        } catch {
            close(number)
            throw error
        }
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }

    private static func wait(_ number: Int32, _ events: Int32, until deadline: ContinuousClock.Instant) throws(TransportFault) {
        var entry = pollfd(fd: number, events: Int16(events), revents: 0)
        while true {
            let left = deadline - .now
            guard left > .zero else { throw TransportFault(.timedOut, "no answer in time") }
            // Rounded up, so that the last part of a millisecond is not spent spinning.
            let milliseconds = left >= .seconds(1) ? 1000 : Int32(left / .milliseconds(1)) + 1
            let count = poll(&entry, 1, milliseconds)
            if count > 0 { return }
            if count < 0 && errno != EINTR { throw TransportFault(.cut, text(errno)) }
        }
    }

    /// Sends all of it.
    func write(_ bytes: UnsafeRawBufferPointer, until deadline: ContinuousClock.Instant) throws(TransportFault) {
        var sent = 0
        while sent < bytes.count {
            // A peer that is gone must not end the process by a signal.
            let count = send(number, bytes.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                try Self.wait(number, POLLOUT, until: deadline)
            } else if errno != EINTR {
                throw TransportFault(.cut, Self.text(errno))
            }
        }
    }

    /// What is there, once something is; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, until deadline: ContinuousClock.Instant) throws(TransportFault) -> Int {
        while true {
            // Also where data is always there: otherwise whoever sends without end would hold us for ever.
            guard ContinuousClock.now < deadline else { throw TransportFault(.timedOut, "no end in time") }
            let count = recv(number, buffer.baseAddress, buffer.count, 0)
            if count >= 0 { return count }
            if errno == EAGAIN {
                try Self.wait(number, POLLIN, until: deadline)
            } else if errno != EINTR {
                throw TransportFault(.cut, Self.text(errno))
            }
        }
    }
}
