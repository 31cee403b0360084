import CHTTPShim
import CMicrohttpd

/// Short answers over TLS, which the loop writes itself.
///
/// libmicrohttpd gets an empty response in their place, whose bytes are dropped before the cipher, and is done with the request: the
/// answer may then wait in the wire for leave, plaintext in wiped memory, without the library looking at the connection again.
extension Loop {
    /// Whether the wire can take an answer in libmicrohttpd's place.
    func canWrite(_ response: borrowing Response, for exchange: Exchange) -> Bool {
        guard standIn != nil, let connection = exchange.connection, connection.wire != nil else { return false }
        guard connection.withheld == nil || connection.withheld === exchange else { return false }
        return exchange.method != .head && response.status != 304 && isShort(response, exchange)
    }

    /// Leaves an answer in the connection's wire; false without memory.
    func write(_ response: borrowing Response, on connection: Connection) -> Bool {
        guard let wire = connection.wire else { return false }
        let isWritten =
            head.withBytes(of: response, at: passStart) { put($0, on: wire) }
            && (response.status == 204 || putBody(response.body, on: wire))
        if !isWritten { khttp_wire_forget(wire) }
        // Nothing is added before what was there has become a record.
        if connection.lastSecret != nil { settleSecrets(of: connection) }
        return isWritten
    }

    /// Finds out what became of an answer with a secret that another thread was to send, and tells of it if it did not leave.
    func settleSecrets(of connection: Connection) {
        guard let wire = connection.wire, let request = connection.lastSecret else { return }
        connection.lastSecret = nil
        switch state(of: wire, of: connection) {
        case khttp_state_failed: reportBroken(request, connection)
        case khttp_state_waiting: connection.unsentSecrets.append(request)
        default: break
        }
    }

    /// What is left in a wire. Secrets that left are forgotten; which of those in one stretch did cannot be told.
    private func state(of wire: OpaquePointer, of connection: Connection) -> khttp_wire_rest {
        var emptied: UInt32 = 0
        let state = khttp_wire_state(wire, &emptied)
        if emptied != connection.emptied {
            connection.emptied = emptied
            if !connection.unsentSecrets.isEmpty { connection.unsentSecrets = [] }
        }
        return state
    }

    /// Tells of the answers with secrets that ended in the wire of a connection that is over.
    func reportUnsent(_ connection: Connection) {
        guard let wire = connection.wire, !connection.unsentSecrets.isEmpty else { return }
        _ = state(of: wire, of: connection)
        for request in connection.unsentSecrets { reportBroken(request, connection) }
        connection.unsentSecrets = []
    }

    private func reportBroken(_ request: RequestID, _ connection: Connection) {
        settings.handler.undelivered(Undelivered(request: request, peer: connection.peer, cause: .broken))
    }

    private func putBody(_ body: Response.Body, on wire: OpaquePointer) -> Bool {
        switch body {
        case .none: true
        case .bytes(let bytes): bytes.withUnsafeBytes { put($0, on: wire) }
        case .sensitive(let buffer): buffer.isComplete && buffer.withBytes { put($0, on: wire) }
        case .shared(let bytes): bytes.withBytes { put($0, on: wire) }
        case .stream: false
        }
    }

    private func put(_ bytes: UnsafeRawBufferPointer, on wire: OpaquePointer) -> Bool {
        khttp_wire_put(wire, bytes.baseAddress, bytes.count)
    }

    /// Has libmicrohttpd answer with nothing, for an answer that is in the wire.
    func standIn(for exchange: Exchange) -> MHD_Result {
        guard let connection = exchange.connection, let wire = connection.wire else { return .NO }
        khttp_wire_swallow(wire, true)
        let result = MHD_queue_response(exchange.handle, 200, standIn)
        if result == .YES { counters.answers.count() } else { connection.cut() }
        return result
    }

    /// Writes the answer of an exchange that was parked with one, and lets libmicrohttpd go on. What cannot be written waits parked.
    func withhold(_ exchange: Exchange) {
        guard let connection = exchange.connection, let response = exchange.response, (200...599).contains(response.status),
            !isDraining, canWrite(response, for: exchange), write(response, on: connection)
        else { return }
        exchange.carriesSecret = response.isSensitive
        exchange.response = nil
        exchange.content = nil
        exchange.stage = .withheld
        waiting -= 1
        withheld += 1
        events += 1
        if let wire = connection.wire { outbox.put(wire, slot: exchange.slot, generation: exchange.generation) }
        _ = standIn(for: exchange)
    }

    /// libmicrohttpd is done with an exchange whose answer is withheld: the next request may come, and waits for this answer.
    func detach(_ exchange: Exchange) {
        exchange.handle = nil
        exchange.connection?.exchange = nil
        exchange.connection?.withheld = exchange
        exchange.connection?.enter(.handling, until: MonotonicTime(nanoseconds: .max))
    }

    /// The answer may leave, or has left by the thread that gave leave.
    func letGo(_ exchange: Exchange) {
        guard exchange.stage == .withheld, let connection = exchange.connection else { return }
        if outbox.take(slot: exchange.slot, generation: exchange.generation) {
            send(exchange, on: connection)
        } else {
            letGoElsewhere(exchange)
        }
        left(exchange, connection)
    }

    /// Another thread has sent the answer, or is about to. Should that fail, the connection tells when it is closed.
    func letGoElsewhere(_ exchange: Exchange) {
        exchange.stage = .answered
        exchange.connection?.lastSecret = exchange.carriesSecret ? exchange.requestID : nil
        exchange.carriesSecret = false
    }

    /// The answer is with the socket: the connection goes on.
    private func left(_ exchange: Exchange, _ connection: Connection) {
        events += 1
        withheld -= 1
        exchange.abandoned = nil
        exchange.stage = .answered
        guard connection.withheld === exchange else {
            // libmicrohttpd is not done with the exchange yet: its own call of `completed` does the rest.
            return connection.enter(.sending, until: passStart.advanced(by: deadlines.send))
        }
        release(exchange)
        if connection.exchange == nil { connection.enter(.idle, until: passStart.advanced(by: deadlines.idle)) }
        guard let following = connection.following else { return }
        connection.following = nil
        waiting -= 1
        receivedSlots.append(following.slot)
    }

    /// Another answer in place of the one that is withheld, which is wiped.
    func replace(_ exchange: Exchange, by response: Response) {
        guard let connection = exchange.connection, let wire = connection.wire,
            outbox.take(slot: exchange.slot, generation: exchange.generation)
        else { return }
        khttp_wire_forget(wire)
        exchange.carriesSecret = response.isSensitive
        let isFit = (200...599).contains(response.status) && canWrite(response, for: exchange)
        if !isFit || !write(response, on: connection) { connection.cut() }
        send(exchange, on: connection)
        left(exchange, connection)
    }

    /// Whether the answer before waits for leave. One that got it, of which this loop has not heard yet, has left, or leaves before
    /// whatever is written next: its client may have read it, and have sent what is looked at here.
    func isHeldUp(_ connection: Connection) -> Bool {
        guard let before = connection.withheld else { return false }
        if outbox.follow(slot: before.slot, generation: before.generation) { return true }
        letGo(before)
        return false
    }

    /// Keeps a request that came before the answer to the one before it has left: nothing may overtake that.
    func follows(_ exchange: Exchange) -> Bool {
        guard let connection = exchange.connection, isHeldUp(connection) else { return false }
        connection.following = exchange
        connection.enter(.handling, until: MonotonicTime(nanoseconds: .max))
        waiting += 1
        return true
    }

    /// Sends the answer of an exchange that is in the connection's wire. What the socket does not take is tried again at the end of each
    /// pass; a secret in it is the connection's to tell of then.
    func send(_ exchange: Exchange, on connection: Connection?) {
        guard let connection, let wire = connection.wire else { return exchange.carriesSecret = false }
        khttp_wire_let_go(wire)
        let isOut = khttp_wire_send(wire)
        if !isOut { unsent.append(connection) }
        guard state(of: wire, of: connection) != khttp_state_failed else { return }
        if exchange.carriesSecret, !isOut { connection.unsentSecrets.append(exchange.requestID) }
        exchange.carriesSecret = false
    }
}
