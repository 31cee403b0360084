/// An answer with a secret that was made and that, as far as can be known, did not reach its client.
///
/// The opposite cannot be known: what the kernel took may be lost as well.
package struct Undelivered: Sendable {
    package enum Cause: Sendable {
        /// The deadline passed; the client got 503.
        case overdue
        /// The client left before the answer was sent.
        case clientLeft
        /// The answer was ready after the client had left, or had got 503.
        case late
        /// The connection broke, or was cut at a deadline, while the answer was being sent.
        case broken
    }

    package let request: RequestID
    package let peer: PeerAddress
    package let cause: Cause

    package init(request: RequestID, peer: PeerAddress, cause: Cause) {
        self.request = request
        self.peer = peer
        self.cause = cause
    }
}

extension Loop {
    /// Tells the handler of a prepared answer that will not be sent any more, if it carried a secret.
    func reportUndelivered(_ exchange: Exchange, _ cause: Undelivered.Cause) {
        guard exchange.carriesSecret || exchange.response?.isSensitive == true else { return }
        exchange.carriesSecret = false
        settings.handler.undelivered(Undelivered(request: exchange.requestID, peer: exchange.peer, cause: cause))
    }

    /// The same of an answer that came from another thread after its exchange was over.
    func reportUndelivered(_ item: Mailbox.Finished) {
        guard let sender = item.sender, item.response.isSensitive else { return }
        settings.handler.undelivered(Undelivered(request: sender.request, peer: sender.peer, cause: .late))
    }
}

extension Response {
    var isSensitive: Bool { if case .sensitive = body { true } else { false } }
}
