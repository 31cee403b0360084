/// One request from its headers to its answer: a slot of one loop, used again and again.
///
/// Everything here belongs to the loop's thread. Only the `Ticket` of a parked exchange may travel.
/// The byte ranges (target, headers, body) are valid until the exchange is answered.
package final class Exchange {
    /// Where the request is on its way.
    enum Stage: Equatable {
        case free
        /// The request line was read.
        case line
        /// The headers were accepted; the body comes in.
        case body
        /// The body is thrown away; the refusal waits for its end.
        case refused
        /// All of it is here; it waits for its turn in this pass.
        case received
        /// The handler is at it.
        case handling
        /// Somebody has the ticket.
        case parked
        /// The response is there but not yet handed to libmicrohttpd.
        case ready
        /// Somebody has the ticket, and the wire the answer, which must not leave yet; libmicrohttpd believes that it did.
        case withheld
        case answered
    }

    let slot: Int
    unowned let home: Loop
    var generation: UInt64 = 0
    var stage = Stage.free

    // libmicrohttpd's side
    var handle: OpaquePointer?
    var connection: Connection?
    /// Where the target started in libmicrohttpd's buffer; only compared, never read.
    var lineStart: UInt = 0

    // The request
    var rawTarget = RawTarget()
    var headers = HeaderTable()
    var framing: Framing?
    var content: WipedBytes?
    var contentLimit = 0
    package internal(set) var method = Method.other
    package internal(set) var peer = PeerAddress(ipv4: 0)
    package internal(set) var requestID = RequestID(high: 0, low: 0)
    /// When the request line was read.
    package internal(set) var receivedAt = MonotonicTime(nanoseconds: 0)

    // The answer
    var response: Response?
    /// Whether libmicrohttpd has an answer with a secret that is not known to be sent as a whole.
    var carriesSecret = false
    var abandoned: (@Sendable () -> Void)?
    var parkDeadline = MonotonicTime(nanoseconds: .max)

    init(slot: Int, home: Loop) {
        self.slot = slot
        self.home = home
    }

    /// Whether libmicrohttpd has nothing to do for it but ask again.
    var isWaiting: Bool { stage == .parked || stage == .received }

    /// The index of the loop.
    package var loop: Int { home.index }

    /// The raw request target, as it was received and signed.
    package var target: UnsafeRawBufferPointer { rawTarget.all }
    /// The target up to the question mark.
    package var path: UnsafeRawBufferPointer { rawTarget.path }
    /// The target after the question mark; empty without one.
    package var query: UnsafeRawBufferPointer { rawTarget.query }

    /// The value of the first header of this name, in either case.
    package func header(_ name: StaticString) -> UnsafeRawBufferPointer? {
        headers.first(name)
    }

    /// The same by a name that is only known at run time.
    package func header(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        headers.first(named: name)
    }

    package func headerCount(_ name: StaticString) -> Int {
        headers.count(of: name)
    }

    /// Calls with name and value of each header line, in the order of the request.
    package func forEachHeader(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void) {
        for index in 0..<headers.count { body(headers[index].name, headers[index].value) }
    }

    /// The whole body; it is wiped when the slot is freed.
    package var body: UnsafeRawBufferPointer {
        content?.contents ?? UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// Gives the body away, for handlers that go on elsewhere; the exchange has none any more.
    package func takeBody() -> WipedBytes {
        let taken = content ?? WipedBytes()
        content = nil
        return taken
    }

    // MARK: - Answering

    /// Answers, during `handle` or later on the loop's thread. A second answer is dropped.
    package func respond(_ response: consuming Response) {
        switch stage {
        case .handling:
            self.response = response
            stage = .ready
        case .parked:
            self.response = response
            becomeReady()
        case .withheld:
            home.replace(self, by: response)
        default:
            break
        }
    }

    /// The answer comes later: through `Listener.complete`, or `respond` on the loop's thread.
    package func park() -> Ticket {
        if stage == .handling {
            stage = .parked
            home.waiting += 1
            parkDeadline = home.requestDeadline
        }
        return Ticket(loop: home.index, slot: slot, generation: generation)
    }

    /// Parks with the answer that `Listener.release` sends later. Until then nothing of it leaves; whoever has the ticket
    /// can send another one instead, and this one is wiped.
    package func park(with response: consuming Response) -> Ticket {
        if stage == .handling { self.response = response }
        return park()
    }

    /// Called once if the client leaves or the deadline passes while the exchange is parked.
    package func onAbandoned(_ action: @escaping @Sendable () -> Void) {
        if stage == .handling || stage == .parked { abandoned = action }
    }

    func becomeReady() {
        stage = .ready
        abandoned = nil
        home.waiting -= 1
        home.readySlots.append(slot)
    }
}
