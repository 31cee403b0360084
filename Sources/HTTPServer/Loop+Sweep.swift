import CHTTPShim
import Glibc

extension Loop {
    /// Holds every connection and every parked exchange to its deadline.
    func sweep(_ now: MonotonicTime) {
        nextSweep = now.advanced(by: .milliseconds(100))
        settings.tls?.rotateTicketsIfDue(now)
        for connection in connections {
            if let exchange = connection.withheld, now >= exchange.parkDeadline { giveUp(exchange) }
            if let exchange = connection.exchange, exchange.stage == .parked || exchange.stage == .withheld {
                if now >= exchange.parkDeadline { giveUp(exchange) }
            } else if now >= connection.deadline, connection.phase != .handling {
                end(connection)
            }
        }
        if now >= nextLook {
            nextLook = now.advanced(by: .seconds(1))
            lookForEnded()
        }
    }

    /// Ends connections whose client has finished sending without a whole request.
    ///
    /// libmicrohttpd 0.9.75 misses the end of a stream that arrives together with data: it takes a short read for the last
    /// news, and epoll tells edges only. Without this look such a connection would stay until its deadline.
    private func lookForEnded() {
        let waiting = connections.filter { $0.phase != .handling && $0.phase != .sending && !$0.isCut }
        polled.removeAll(keepingCapacity: true)
        for connection in waiting { polled.append(pollfd(fd: connection.socket, events: khttp_peer_finished, revents: 0)) }
        let found = polled.withUnsafeMutableBufferPointer { poll($0.baseAddress, nfds_t($0.count), 0) }
        guard found > 0 else { return }
        for (connection, answer) in zip(waiting, polled) where answer.revents & khttp_peer_finished != 0 {
            // Seen twice, a second apart: whatever had been received before is long processed.
            if connection.peerFinished { end(connection) }
            connection.peerFinished = true
        }
    }

    private func end(_ connection: Connection) {
        guard !connection.isCut else { return }
        counters.cutConnections.count()
        connection.cut()
    }
}
