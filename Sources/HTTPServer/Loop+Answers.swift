import CHTTPShim
import CMicrohttpd
import Glibc

extension Loop {
    /// Takes what other threads left: answers, and leave to send those that were parked with.
    func collect() {
        mailbox.collect(into: &mail)
        for item in mail.answers {
            if let exchange = waiting(item.ticket) { exchange.respond(item.response) } else { reportUndelivered(item) }
        }
        for ticket in mail.released {
            guard let exchange = waiting(ticket) else { continue }
            if exchange.stage == .withheld { letGo(exchange) } else { exchange.becomeReady() }
        }
        if !mail.unsent.isEmpty { tryAgain(Set(mail.unsent)) }
        mail.removeAll()
    }

    private func tryAgain(_ wires: Set<UInt>) {
        for connection in connections {
            if let wire = connection.wire, wires.contains(UInt(bitPattern: wire)) { unsent.append(connection) }
        }
    }

    /// The exchange that still waits under a ticket; nil when it is gone or was answered already.
    private func waiting(_ ticket: Ticket) -> Exchange? {
        guard slots.indices.contains(ticket.slot) else { return nil }
        let exchange = slots[ticket.slot]
        guard exchange.generation == ticket.generation else { return nil }
        return exchange.stage == .parked || exchange.stage == .withheld ? exchange : nil
    }

    /// Answers 503 for an exchange that nobody answered in time; its ticket is void from now on.
    func giveUp(_ exchange: Exchange) {
        guard exchange.stage == .parked || exchange.stage == .withheld else { return }
        // What has leave is not late: its ticket is in the mailbox.
        if exchange.stage == .withheld, !outbox.renew(slot: exchange.slot, generation: exchange.generation) { return }
        exchange.generation &+= 1
        counters.overdue.count()
        exchange.abandoned?()
        reportUndelivered(exchange, .overdue)
        exchange.respond(
            .problem(503, code: "overdue", detail: "the request was not answered in time", id: exchange.requestID))
    }

    /// Hands the responses of parked exchanges to libmicrohttpd.
    func deliver() {
        guard !readySlots.isEmpty else { return }
        let ready = readySlots
        readySlots.removeAll(keepingCapacity: true)
        for slot in ready where slots[slot].stage == .ready {
            events += 1
            if settings.suspends {
                MHD_resume_connection(slots[slot].handle)
            } else {
                _ = queue(slots[slot])
            }
        }
    }

    /// Gives libmicrohttpd the response of an exchange that is ready.
    func queue(_ exchange: Exchange) -> MHD_Result {
        guard let handle = exchange.handle, let connection = exchange.connection else { return .NO }
        exchange.stage = .answered
        var response = exchange.response ?? .empty(500)
        exchange.response = nil
        exchange.content = nil
        response.closes = response.closes || isDraining
        if !(200...599).contains(response.status) { response.status = 500 }

        exchange.carriesSecret = response.isSensitive
        if canWrite(response, for: exchange), write(response, on: connection) {
            connection.enter(.sending, until: passStart.advanced(by: deadlines.send))
            return standIn(for: exchange)
        }
        guard let made = makeResponse(response, for: connection) else {
            reportUndelivered(exchange, .broken)
            connection.cut()
            return .NO
        }
        connection.enter(.sending, until: passStart.advanced(by: deadlines.send))
        if !isShort(response, exchange) { longAnswers.append(connection) }
        if let wire = connection.wire {
            _ = khttp_wire_send(wire)
            settleSecrets(of: connection)
            khttp_wire_pass(wire)
        }
        let result = MHD_queue_response(handle, UInt32(response.status), made)
        MHD_destroy_response(made)
        if result == .YES { counters.answers.count() } else { connection.cut() }
        return result
    }

    /// Whether an answer and what comes before it fit into the wire's memory while a socket is full. One that closes its connection
    /// could not wait there.
    func isShort(_ response: Response, _ exchange: Exchange) -> Bool {
        guard !response.closes, exchange.framing?.keepsAlive ?? false else { return false }
        switch response.body {
        case .none: return true
        case .bytes(let bytes): return bytes.count <= 8192
        case .sensitive(let buffer): return buffer.count <= 8192
        case .shared(let bytes): return bytes.count <= 8192
        case .stream: return false
        }
    }

    func completed(_ exchange: Exchange, isSent: Bool) {
        events += 1
        let connection = exchange.connection
        if let wire = connection?.wire { khttp_wire_swallow(wire, false) }
        if exchange.stage == .withheld, isSent { return detach(exchange) }
        if isSent { send(exchange, on: connection) }
        release(exchange)
        connection?.enter(.idle, until: passStart.advanced(by: deadlines.idle))
    }

    // MARK: - Responses as libmicrohttpd wants them

    private func makeResponse(_ response: Response, for connection: Connection) -> OpaquePointer? {
        guard let made = makeBody(response.body, for: connection) else { return nil }
        if let type = response.contentType { add("Content-Type", type, to: made) }
        if case .sensitive = response.body { add("Cache-Control", "no-store", to: made) }
        for header in response.headers { add(header, to: made) }
        if response.closes { add("Connection", "close", to: made) }
        return made
    }

    private func makeBody(_ body: Response.Body, for connection: Connection) -> OpaquePointer? {
        switch body {
        case .none:
            return MHD_create_response_from_buffer(0, nil, .RESPMEM_PERSISTENT)
        case .bytes(let bytes):
            return bytes.withUnsafeBytes {
                MHD_create_response_from_buffer(
                    $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress), .RESPMEM_MUST_COPY)
            }
        case .sensitive(let buffer):
            guard buffer.isComplete else { return nil }
            let count = buffer.count
            guard let bytes = buffer.take() else { return nil }
            let made = MHD_create_response_from_buffer_with_free_callback(count, bytes, khttp_wiped_free)
            if made == nil { khttp_wiped_free(bytes) }
            return made
        case .shared(let shared):
            // The array inside does not move or change as long as the object lives, and the response keeps it alive.
            let start = shared.withBytes { UnsafeMutableRawPointer(mutating: $0.baseAddress) }
            let held = Unmanaged.passRetained(shared)
            let made = MHD_create_response_from_buffer_with_free_callback_cls(
                shared.count, start, releaseCallback, held.toOpaque())
            if made == nil { held.release() }
            return made
        case .stream(let stream):
            let held = Unmanaged.passRetained(StreamFeed(stream: stream, loop: self, connection: connection))
            let made = MHD_create_response_from_callback(.max, 32 * 1024, streamCallback, held.toOpaque(), releaseCallback)
            if made == nil { held.release() }
            return made
        }
    }

    private func add(_ name: StaticString, _ value: StaticString, to response: OpaquePointer) {
        name.withUTF8Buffer { name in
            value.withUTF8Buffer { value in
                _ = name.withMemoryRebound(to: CChar.self) { name in
                    value.withMemoryRebound(to: CChar.self) { value in
                        MHD_add_response_header(response, name.baseAddress, value.baseAddress)
                    }
                }
            }
        }
    }

    private func add(_ header: Response.Header, to response: OpaquePointer) {
        header.name.withUTF8Buffer { name in
            _ = name.withMemoryRebound(to: CChar.self) { MHD_add_response_header(response, $0.baseAddress, header.value) }
        }
    }
}
