/// All that is said on the way to one host and with it: bounded as a whole, since a host that is slow at every step could else hold a
/// thread for as many steps as there are.
struct Conversation: Sendable {
    private let end: ContinuousClock.Instant
    private let limit: Duration

    init(_ limit: Duration) {
        self.limit = limit
        end = .now + limit
    }

    /// When a step that begins now must be over.
    func deadline(_ step: Duration) -> Deadline { Deadline(at: min(.now + step, end)) }

    /// When everything must be over.
    var deadline: Deadline { Deadline(at: end) }

    /// A step that ran out of time because all of it did says so.
    func explained(_ fault: SSHFault) -> SSHFault {
        guard fault.kind == .timedOut, deadline.hasPassed else { return fault }
        return SSHFault(
            .timedOut, at: fault.place, sent: fault.sent,
            words: "the conversation with the host took longer than \(limit.components.seconds) seconds")
    }
}
