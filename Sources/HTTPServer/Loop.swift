import CHTTPShim
import CMicrohttpd
import Glibc
import Logging
import Synchronization

/// How long each step of a request may take, as the loop's clock counts.
struct LoopDeadlines: Sendable {
    let header: MonotonicTime.Span
    let body: MonotonicTime.Span
    let request: MonotonicTime.Span
    let send: MonotonicTime.Span
    let idle: MonotonicTime.Span
    let linger: MonotonicTime.Span

    init(_ limits: ListenerConfiguration.Limits) {
        header = .init(limits.headerDeadline)
        body = .init(limits.bodyDeadline)
        request = .init(limits.requestDeadline)
        send = .init(limits.sendDeadline)
        idle = .init(limits.idleDeadline)
        linger = .init(limits.lingerDeadline)
    }
}

/// What all loops of a listener share.
struct LoopSettings: Sendable {
    let handler: any Handler
    let limits: ListenerConfiguration.Limits
    let tls: TLSIdentity?
    let suspends: Bool
    /// Whether the layout of request heads is checked.
    let screensHeads: Bool
    let quota: ConnectionQuota
    let budget: BodyBudget
    let logger: Logger
}

/// One event loop: a thread, a daemon of libmicrohttpd in external epoll mode, and the exchanges that are under way in it.
///
/// A pass collects finished answers, lets libmicrohttpd work on what is ready, hands the handler its cycle, and sends what
/// sockets did not take before. docs/decisions/0002-http-loops.md says why it is built this way.
// Unchecked: owner of a C daemon. Everything but `mailbox`, `counters`, `stopAt` and the constants belongs to the thread in `run`.
final class Loop: @unchecked Sendable {
    let index: Int
    let settings: LoopSettings
    let deadlines: LoopDeadlines
    let mailbox = Mailbox()
    let outbox = Outbox()
    let counters = Counters()
    /// Nanoseconds of the monotonic clock at which the loop ends even with work left; `max` while nobody asked it to.
    let stopAt = Atomic<UInt64>(.max)

    /// When this pass began: near enough for deadlines, which count seconds.
    private(set) var passStart = MonotonicTime.now
    var daemon: OpaquePointer?
    var listening: ListeningSocket?
    var slots: [Exchange] = []
    var freeSlots: [Int] = []
    /// Exchanges with a response that libmicrohttpd has not got yet.
    var readySlots: [Int] = []
    /// Exchanges whose request is whole and not yet handled in this pass.
    var receivedSlots: [Int] = []
    /// What was taken from the mailbox; kept for its memory.
    var mail = Mailbox.Mail()
    var connections: [Connection] = []
    /// Connections whose sockets did not take all yet of what the loop wrote.
    var unsent: [Connection] = []
    /// Sockets whose connections are over, and whose clients may still be sending.
    var lingering: [LingeringSocket] = []
    var requestIDs = RequestIDSource()
    /// Connections with an answer that may take several passes.
    var longAnswers: [Connection] = []
    /// The address of a connection between being accepted and being started.
    var arriving: PeerAddress?
    /// Exchanges and streams that wait for somebody else: libmicrohttpd counts them as work although there is none.
    var waiting = 0
    /// Exchanges whose answer is written and must not leave yet; libmicrohttpd knows nothing of that.
    var withheld = 0
    /// What libmicrohttpd sends in place of an answer that the loop writes.
    var standIn: OpaquePointer?
    var head = AnswerHead()
    /// Callbacks in this pass that moved something on.
    var events = 0
    var requestsInCycle = 0
    var isDraining = false
    var nextSweep = MonotonicTime(nanoseconds: 0)
    var nextLook = MonotonicTime(nanoseconds: 0)
    private var fruitlessPasses = 0
    /// As many as the largest request head takes, which libmicrohttpd reads by about half a kilobyte a pass.
    private static let eagerPasses = 64
    /// Requests that are handled before the loop looks for answers that may leave.
    static let requestsAtOnce = 16
    var polled: [pollfd] = []

    init(index: Int, settings: LoopSettings, listening: ListeningSocket) {
        self.index = index
        self.settings = settings
        deadlines = LoopDeadlines(settings.limits)
        self.listening = listening
    }

    /// Makes the daemon; it does nothing until `run`.
    func prepare() throws(ListenerError) {
        guard let listening, mailbox.descriptor >= 0 else { throw .system(operation: "eventfd", code: errno) }
        var options = khttp_daemon_options()
        options.listen_socket = listening.descriptor
        options.tls = settings.tls != nil
        options.suspends = settings.suspends
        options.connection_limit = UInt32(clamping: settings.limits.connections)
        options.connection_memory = max(4096, settings.limits.headerBytes)
        options.context = Unmanaged.passUnretained(self).toOpaque()
        options.accepts = acceptsCallback
        options.handler = handlerCallback
        options.request_line = requestLineCallback
        options.completed = completedCallback
        options.connection_changed = connectionCallback
        options.logger = loggerCallback
        daemon = TLSIdentity.priorities.withCString { priorities in
            options.priorities = priorities
            return khttp_daemon_start(&options)
        }
        guard daemon != nil else { throw .daemon }
        if settings.tls != nil, khttp_wire_answers() { standIn = MHD_create_response_from_buffer(0, nil, .RESPMEM_PERSISTENT) }
    }

    /// Works until it is told to stop; the thread's body.
    func run() {
        guard let daemon else { return }
        let epoll = khttp_daemon_epoll(daemon)
        while true {
            wait(epoll, daemon)
            var passes = 0
            repeat { passes += 1 } while cycle(daemon) && passes < 64
            let now = MonotonicTime.now
            if now >= nextSweep { sweep(now) }
            if stopAt.load(ordering: .acquiring) != .max, drained(now) { break }
        }
        finish(daemon)
    }

    /// One pass; true when another one should follow at once.
    private func cycle(_ daemon: OpaquePointer) -> Bool {
        events = 0
        passStart = .now
        collect()
        deliver()
        counters.passes.count()
        _ = MHD_run(daemon)
        handleReceived()
        if requestsInCycle > 0 {
            requestsInCycle = 0
            settings.handler.cycleEnded(loop: index)
        }
        flush()
        dropLate()
        if events > 0 { khttp_wipe_stack() }
        counters.parked.store(waiting + withheld, ordering: .relaxed)
        fruitlessPasses = events > 0 ? 0 : fruitlessPasses + 1
        return events > 0 || !readySlots.isEmpty
    }

    /// Sleeps until a socket, an answer or a deadline wants attention.
    ///
    /// libmicrohttpd may have more to do for a connection without any new event on its socket (it reads and writes in
    /// portions, and epoll tells edges only); then its time-out is zero. It is zero too while an exchange waits for its answer
    /// or a handshake for its client, however long that takes: so after some passes that moved nothing the pause grows, a
    /// silent client costs nothing, and a half-read request next to it is delayed by milliseconds at most. The sockets of
    /// long answers are watched here, so that those are not delayed at all.
    private func wait(_ epoll: Int32, _ daemon: OpaquePointer) {
        polled.removeAll(keepingCapacity: true)
        polled.append(pollfd(fd: epoll, events: Int16(POLLIN), revents: 0))
        polled.append(pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0))
        for socket in lingering { polled.append(pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)) }
        var milliseconds: Int32 = connections.isEmpty && lingering.isEmpty ? 1000 : 100
        var pending: UInt64 = 0
        if MHD_get_timeout(daemon, &pending) == .YES, pending == 0 {
            if waiting == 0, fruitlessPasses < Self.eagerPasses {
                milliseconds = 0
            } else {
                milliseconds = 1 << Int32(min(6, max(0, fruitlessPasses - Self.eagerPasses)))
                watchLongAnswers()
            }
        }
        let count = polled.withUnsafeMutableBufferPointer { poll($0.baseAddress, nfds_t($0.count), milliseconds) }
        guard count > 0 else { return }
        if polled[0].revents != 0 { fruitlessPasses = 0 }
        if polled[1].revents != 0 { mailbox.drain() }
    }

    private func watchLongAnswers() {
        longAnswers.removeAll { $0.phase != .sending || $0.isCut }
        for connection in longAnswers.prefix(64) where !connection.isStarved {
            polled.append(pollfd(fd: connection.socket, events: Int16(POLLOUT), revents: 0))
        }
    }

    /// Sends what sockets did not take before; what they do not take yet stays.
    private func flush() {
        guard !unsent.isEmpty else { return }
        unsent.removeAll { connection in
            guard let wire = connection.wire else { return true }
            return khttp_wire_send(wire)
        }
    }

    // MARK: - Stopping

    /// Takes no more connections and ends idle ones; true when nothing is left or time is up.
    private func drained(_ now: MonotonicTime) -> Bool {
        if !isDraining {
            isDraining = true
            if let daemon { _ = MHD_quiesce_daemon(daemon) }
            listening = nil
        }
        let grace = now.nanoseconds &- 500_000_000
        for connection in connections {
            let isIdle = connection.phase == .idle
            let saidNothing = connection.phase == .fresh && connection.accepted.nanoseconds < grace
            guard isIdle || saidNothing else { continue }
            // Whoever gave leave to an answer may not have come to send it yet, or the socket is full.
            if let wire = connection.wire, !khttp_wire_send(wire) { continue }
            connection.cut()
        }
        return connections.isEmpty && lingering.isEmpty || now.nanoseconds >= stopAt.load(ordering: .relaxed)
    }

    /// Answers what still waits, as stopping a daemon with a suspended connection would end the process.
    private func finish(_ daemon: OpaquePointer) {
        collect()
        for _ in 0..<8 {
            // Again on each pass: what one of them held up is handled now, and may wait in its turn.
            for exchange in slots where exchange.stage == .parked || exchange.stage == .withheld { giveUp(exchange) }
            if !cycle(daemon) && waiting == 0 { break }
        }
        MHD_stop_daemon(daemon)
        endLingering()
        self.daemon = nil
        if let standIn { MHD_destroy_response(standIn) }
        standIn = nil
        unsent = []
        longAnswers = []
        listening = nil
        settings.handler.cycleEnded(loop: index)
    }
}
