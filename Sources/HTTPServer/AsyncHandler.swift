/// What answers requests off the hot path, in a task of its own.
package protocol AsyncHandler: Sendable {
    /// The task is cancelled when the client leaves or the request's deadline passes; its answer is dropped then.
    func respond(to request: Request) async -> Response
}

/// A request that may go anywhere: a copy of an exchange's headers, with its body moved over.
package struct Request: Sendable {
    package struct Header: Sendable {
        package let name: [UInt8]
        package let value: [UInt8]

        package init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    package let method: Method
    /// The target as it was received, nothing decoded.
    package let rawTarget: [UInt8]
    package let headers: [Header]
    package let body: WipedBytes
    package let peer: PeerAddress
    package let requestID: RequestID
    package let receivedAt: MonotonicTime

    package init(
        method: Method, rawTarget: [UInt8], headers: [Header] = [], body: WipedBytes = WipedBytes(), peer: PeerAddress,
        requestID: RequestID, receivedAt: MonotonicTime = .now
    ) {
        self.method = method
        self.rawTarget = rawTarget
        self.headers = headers
        self.body = body
        self.peer = peer
        self.requestID = requestID
        self.receivedAt = receivedAt
    }

    /// Copies an exchange and takes its body.
    package init(_ exchange: Exchange) {
        var headers: [Header] = []
        exchange.forEachHeader { headers.append(Header(name: Array($0), value: Array($1))) }
        self.init(
            method: exchange.method, rawTarget: Array(exchange.target), headers: headers, body: exchange.takeBody(),
            peer: exchange.peer, requestID: exchange.requestID, receivedAt: exchange.receivedAt)
    }

    /// The target up to the question mark.
    package var rawPath: ArraySlice<UInt8> {
        rawTarget[..<(rawTarget.firstIndex(of: 0x3f) ?? rawTarget.endIndex)]
    }

    /// The target after the question mark; empty without one.
    package var rawQuery: ArraySlice<UInt8> {
        guard let question = rawTarget.firstIndex(of: 0x3f) else { return [] }
        return rawTarget[(question + 1)...]
    }

    /// The value of the first header of this name, in either case.
    package func header(_ name: StaticString) -> [UInt8]? {
        headers.first { $0.name.withUnsafeBytes { $0.equalsIgnoringCase(name) } }?.value
    }
}

extension Exchange {
    /// Parks, and answers with what the handler returns. Inside `Handler.handle` only.
    package func answer(by handler: any AsyncHandler) {
        let request = Request(self)
        let ticket = park()
        let mailbox = home.mailbox
        let task = Task {
            let response = await handler.respond(to: request)
            mailbox.deliver([(ticket, response)])
        }
        onAbandoned { task.cancel() }
    }

    /// Announced bytes of the body, known before it has come; nil for a chunked one.
    package var announcedLength: Int? { framing.map { $0.isChunked ? nil : $0.length ?? 0 } ?? 0 }
}
