import CHTTPShim
import CMicrohttpd
import Glibc

extension Loop {
    /// A request line was read: a slot is taken and the raw target kept.
    func requestLine(_ target: UnsafePointer<CChar>, _ handle: OpaquePointer) -> Exchange? {
        guard let context = khttp_connection_context(handle) else { return nil }
        let connection = Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
        if let stale = connection.exchange { release(stale) }
        events += 1
        let exchange = acquire()
        exchange.stage = .line
        exchange.handle = handle
        exchange.connection = connection
        exchange.peer = connection.peer
        exchange.requestID = requestIDs.next()
        exchange.receivedAt = .now
        exchange.lineStart = UInt(bitPattern: target)
        exchange.rawTarget.assign(UnsafeRawBufferPointer(start: target, count: strlen(target)))
        connection.exchange = exchange
        connection.enter(.headers, until: exchange.receivedAt.advanced(by: deadlines.header))
        return exchange
    }

    /// libmicrohttpd's handler call: after the headers, for each part of the body, after the body, and again on every pass
    /// while the answer is awaited.
    func proceed(
        _ exchange: Exchange, method: UnsafePointer<CChar>, version: UnsafePointer<CChar>,
        data: UnsafePointer<CChar>?, size: UnsafeMutablePointer<Int>
    ) -> MHD_Result {
        switch exchange.stage {
        case .line:
            events += 1
            return headersComplete(exchange, method: method, version: version)
        case .body, .refused:
            events += 1
            guard size.pointee > 0 else {
                return exchange.stage == .refused ? queueRefusal(exchange) : requestComplete(exchange)
            }
            let part = UnsafeRawBufferPointer(start: data, count: size.pointee)
            let goesOn = exchange.stage == .refused ? discard(part, of: exchange) : collect(part, of: exchange)
            // What was consumed is not looked at again; it may be a secret.
            khttp_wipe(UnsafeMutableRawPointer(mutating: part.baseAddress), part.count)
            size.pointee = 0
            if !goesOn { breakOff(exchange) }
            return goesOn ? .YES : .NO
        case .ready:
            return queue(exchange)
        case .received, .parked, .handling, .withheld, .answered:
            return .YES
        case .free:
            return .NO
        }
    }

    private func headersComplete(
        _ exchange: Exchange, method: UnsafePointer<CChar>, version: UnsafePointer<CChar>
    ) -> MHD_Result {
        exchange.method = Method(method)
        captureHeaders(exchange)
        exchange.connection?.enter(.body, until: passStart.advanced(by: deadlines.body))

        // The version follows the target in the same buffer, one blank apart: anything else means that the target has a NUL.
        let lineLength = UInt(bitPattern: version) &- exchange.lineStart &- 1
        guard lineLength == UInt(exchange.rawTarget.count), exchange.rawTarget.isUnambiguous else {
            return refuse(exchange, 400, "bad_target", "the request target is malformed or ambiguous")
        }
        guard exchange.rawTarget.count <= RawTarget.limit else {
            return refuse(exchange, 414, "target_too_long", "the request target is too long")
        }
        do throws(Framing.Defect) {
            let framing = try Framing(exchange.headers, isHTTP11: strcmp(version, "HTTP/1.1") == 0)
            guard isStrict(exchange, method: method, version: version) else { throw .shape }
            exchange.framing = framing
        } catch {
            if error == .tooManyHeaders { return refuse(exchange, 431, "headers_too_large", error.detail) }
            return refuse(exchange, 400, "bad_request", error.detail)
        }

        // Whatever the handler opens to decide is its cycle's to close, even if the body is still to come.
        requestsInCycle += 1
        switch settings.handler.limit(exchange) {
        case .limit(let limit):
            exchange.contentLimit = max(0, limit)
            if (exchange.framing?.length ?? 0) > exchange.contentLimit { return refuse(exchange, tooLarge(exchange)) }
            exchange.stage = .body
            return .YES
        case .refuse(let response):
            return refuse(exchange, response)
        }
    }

    /// Whether nothing in the head can be read in two ways; see `HeadShape`.
    private func isStrict(_ exchange: Exchange, method: UnsafePointer<CChar>, version: UnsafePointer<CChar>) -> Bool {
        guard settings.screensHeads else { return true }
        let shape = HeadShape(
            method: method, target: exchange.lineStart, version: version, byteCount: khttp_head_size(exchange.handle))
        return shape.isStrict(methodCount: strlen(method), targetCount: exchange.rawTarget.count, headers: exchange.headers)
    }

    private func captureHeaders(_ exchange: Exchange) {
        exchange.headers.clear()
        // The table itself goes along, not the exchange: the callback runs for each line and would count references.
        withUnsafeMutablePointer(to: &exchange.headers) {
            _ = MHD_get_connection_values_n(exchange.handle, .HEADER_KIND, headerCallback, UnsafeMutableRawPointer($0))
        }
    }

    /// A whole request is here. Its handler runs after libmicrohttpd's pass, with those of all others: one kind of code at a time, which
    /// the processor's caches hold, instead of the network's, the cipher's, the parser's and the handler's in turn for each request.
    private func requestComplete(_ exchange: Exchange) -> MHD_Result {
        exchange.connection?.enter(.handling, until: MonotonicTime(nanoseconds: .max))
        requestsInCycle += 1
        counters.requests.count()
        exchange.stage = .received
        if follows(exchange) { return .YES }
        guard settings.suspends else {
            receivedSlots.append(exchange.slot)
            return .YES
        }
        handle(exchange)
        if exchange.stage == .parked {
            MHD_suspend_connection(exchange.handle)
            return .YES
        }
        return queue(exchange)
    }

    /// Has the requests of this pass handled. What is answered at once is delivered with the next pass, which follows at once.
    func handleReceived() {
        guard !receivedSlots.isEmpty else { return }
        var next = 0
        // By index: collecting lets requests follow that had to wait.
        while next < receivedSlots.count {
            let slot = receivedSlots[next]
            next += 1
            handleReceived(slots[slot])
            // Answers whose entries became durable meanwhile leave now: their clients go on while this loop does.
            if next % Self.requestsAtOnce == 0 { collect() }
        }
        receivedSlots.removeAll(keepingCapacity: true)
    }

    private func handleReceived(_ exchange: Exchange) {
        // A slot may have been taken meanwhile for a request that has to wait.
        guard exchange.stage == .received, exchange.connection?.following !== exchange else { return }
        handle(exchange)
        if exchange.stage == .ready { readySlots.append(exchange.slot) }
        if exchange.stage == .parked { withhold(exchange) }
    }

    private func handle(_ exchange: Exchange) {
        exchange.stage = .handling
        // A refusal that had to wait for the answer before it.
        if let refusal = exchange.response { return exchange.respond(refusal) }
        settings.handler.handle(exchange)
        if exchange.stage == .handling {
            exchange.respond(
                .problem(500, code: "internal_error", detail: "the request was not answered", id: exchange.requestID))
        }
    }

    // MARK: - Bodies

    private func collect(_ part: UnsafeRawBufferPointer, of exchange: Exchange) -> Bool {
        let content = exchange.content ?? WipedBytes(share: settings.budget.share(of: exchange.peer))
        exchange.content = content
        guard content.count <= exchange.contentLimit - part.count else {
            turnAway(exchange, tooLarge(exchange))
            return discard(part, of: exchange)
        }
        if content.append(part) { return true }
        turnAway(
            exchange, .problem(503, code: "busy", detail: "the server holds too many uploads", id: exchange.requestID))
        return discard(part, of: exchange)
    }

    /// Lets a body pass unread, up to a bound: beyond it the connection ends.
    private func discard(_ part: UnsafeRawBufferPointer, of exchange: Exchange) -> Bool {
        exchange.contentLimit -= part.count
        return exchange.contentLimit >= 0
    }

    private func tooLarge(_ exchange: Exchange) -> Response {
        .problem(413, code: "body_too_large", detail: "the request body is too large", id: exchange.requestID)
    }

    // MARK: - Refusals

    /// Refuses for the form of the message: the connection ends too, since what follows cannot be trusted.
    private func refuse(
        _ exchange: Exchange, _ status: Int, _ code: StaticString, _ detail: StaticString
    ) -> MHD_Result {
        counters.malformed.count()
        var response = Response.problem(status, code: code, detail: detail, id: exchange.requestID)
        response.closes = true
        return refuse(exchange, response)
    }

    /// Refuses after the headers. libmicrohttpd closes a connection that is answered here, so the answer waits for the end of
    /// the body, unless that is too far away or the client waits for leave to send it.
    private func refuse(_ exchange: Exchange, _ response: Response) -> MHD_Result {
        let framing = exchange.framing ?? Framing()
        let isTooFar = (framing.length ?? 0) > settings.limits.drainedBytes || (framing.hasBody && framing.expectsContinue)
        guard response.closes || isTooFar else {
            turnAway(exchange, response)
            return .YES
        }
        exchange.response = response
        exchange.response?.closes = true
        // Nothing may overtake an answer that is withheld, and this one cannot wait: the connection ends without either.
        guard let connection = exchange.connection, !isHeldUp(connection) else { return .NO }
        connection.endsEarly = true
        return queueRefusal(exchange)
    }

    /// Refuses in the midst of a body that nobody announced as this long. libmicrohttpd takes no answer there, but the wire does; then
    /// the connection ends.
    private func breakOff(_ exchange: Exchange) {
        guard standIn != nil, exchange.method != .head, var response = exchange.response, let connection = exchange.connection,
            !isHeldUp(connection)
        else { return }
        response.headers.append(Response.Header("Connection", "close"))
        guard write(response, on: connection) else { return }
        counters.requests.count()
        counters.answers.count()
        connection.endsEarly = true
        send(exchange, on: connection)
    }

    private func turnAway(_ exchange: Exchange, _ response: Response) {
        exchange.content = nil
        exchange.response = response
        exchange.stage = .refused
        exchange.contentLimit = settings.limits.drainedBytes
    }

    private func queueRefusal(_ exchange: Exchange) -> MHD_Result {
        requestsInCycle += 1
        counters.requests.count()
        exchange.stage = .received
        if follows(exchange) { return .YES }
        exchange.stage = .ready
        return queue(exchange)
    }
}
