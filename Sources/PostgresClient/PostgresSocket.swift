internal import CPostgresShim
internal import Glibc

/// Waiting for the socket that libpq uses, and counting what comes through it.
struct PostgresSocket {
    enum Event {
        case readable
        case writable
        case either

        fileprivate var mask: Int16 {
            switch self {
            case .readable: Int16(POLLIN)
            case .writable: Int16(POLLOUT)
            case .either: Int16(POLLIN) | Int16(POLLOUT)
            }
        }
    }

    /// Waits until the socket is ready; returns whether it can be read.
    @discardableResult
    static func wait(_ number: Int32, _ event: Event, until deadline: ContinuousClock.Instant) throws(PostgresFault) -> Bool {
        guard number >= 0 else { throw PostgresFault(.cut, "the connection is closed") }
        var entry = pollfd(fd: number, events: event.mask, revents: 0)
        while true {
            let left = deadline - .now
            guard left > .zero else { throw PostgresFault(.timedOut, "no answer in time") }
            // A second at most at a time; rounded up, so that the last part of a millisecond is not spent spinning.
            let milliseconds = left >= .seconds(1) ? 1000 : Int32(left / .milliseconds(1)) + 1
            let count = poll(&entry, 1, milliseconds)
            if count > 0 { return entry.revents & ~Int16(POLLOUT) != 0 }
            if count < 0 && errno != EINTR { throw PostgresFault(.cut, String(cString: strerror(errno))) }
        }
    }

    /// What the server has sent on this connection so far, read or not.
    static func received(_ number: Int32) -> Int64 { max(0, pq_shim_bytes_received(number)) }
}
