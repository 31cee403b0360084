import CHTTPShim
import CMicrohttpd
import Glibc

extension Loop {
    /// Whether a new connection may stay.
    func accepts(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Bool {
        giveBackArriving()
        guard let peer = PeerAddress(address, length: length), settings.quota.take(peer) else {
            counters.refusedConnections.count()
            return false
        }
        arriving = peer
        return true
    }

    /// A connection that was accepted but never started (libmicrohttpd had no memory for it) gives its place back.
    private func giveBackArriving() {
        if let arriving { settings.quota.giveBack(arriving) }
        arriving = nil
    }

    func started(_ handle: OpaquePointer) -> UnsafeMutableRawPointer? {
        guard let peer = arriving else { return nil }
        arriving = nil
        events += 1
        counters.acceptedConnections.count()
        let now = MonotonicTime.now
        let connection = Connection(
            peer: peer, socket: khttp_connection_socket(handle),
            wire: settings.tls.flatMap {
                khttp_wire_open($0.context, handle, refusalCallback, Unmanaged.passUnretained(self).toOpaque())
            },
            now: now, deadline: now.advanced(by: deadlines.header))
        connection.place = connections.count
        connections.append(connection)
        if settings.tls != nil, connection.wire == nil { connection.cut() }
        return Unmanaged.passRetained(connection).toOpaque()
    }

    func closed(_ connection: Connection) {
        events += 1
        for exchange in [connection.withheld, connection.exchange] { if let exchange { release(exchange) } }
        if let wire = connection.wire {
            _ = khttp_wire_send(wire)
            settleSecrets(of: connection)
            reportUnsent(connection)
            khttp_wire_close(wire)
        }
        connection.wire = nil
        if !linger(connection) { settings.quota.giveBack(connection.peer) }
        let last = connections.count - 1
        guard connections.indices.contains(connection.place) else { return }
        connections.swapAt(connection.place, last)
        connections[connection.place].place = connection.place
        connections.removeLast()
    }

    // MARK: - Slots

    func acquire() -> Exchange {
        if let slot = freeSlots.popLast() { return slots[slot] }
        let exchange = Exchange(slot: slots.count, home: self)
        slots.append(exchange)
        return exchange
    }

    /// Frees a slot. If somebody still has its ticket, the ticket is void from now on.
    func release(_ exchange: Exchange) {
        guard exchange.stage != .free else { return }
        let isFollowing = exchange.connection?.following === exchange
        if isFollowing { exchange.connection?.following = nil }
        if isFollowing || exchange.stage == .parked { waiting -= 1 }
        if exchange.stage == .withheld {
            withheld -= 1
            if !outbox.take(slot: exchange.slot, generation: exchange.generation) { letGoElsewhere(exchange) }
        }
        if exchange.stage == .parked || exchange.stage == .withheld {
            counters.abandoned.count()
            exchange.abandoned?()
        }
        reportUndelivered(exchange, exchange.stage == .answered ? .broken : .clientLeft)
        exchange.generation &+= 1
        exchange.stage = .free
        exchange.abandoned = nil
        exchange.response = nil
        exchange.content = nil
        exchange.framing = nil
        exchange.handle = nil
        if let connection = exchange.connection {
            if connection.exchange === exchange { connection.exchange = nil }
            if connection.withheld === exchange { connection.withheld = nil }
        }
        exchange.connection = nil
        exchange.headers.clear()
        freeSlots.append(exchange.slot)
    }

    var requestDeadline: MonotonicTime { passStart.advanced(by: deadlines.request) }
}
