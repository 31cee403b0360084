import Glibc
import Logging
import Synchronization

/// Finds out at start what libmicrohttpd does but does not document: whether a connection can be held without an answer, and where
/// the parts of a request's head lie.
enum SelfTest {
    /// Runs once in a process.
    private static let holds = passes(.held)
    private static let laysOutHeads = passesScreening()

    /// The faster way of waiting that works.
    static func waiting(_ logger: Logger) -> ListenerConfiguration.Waiting {
        if holds { return .held }
        logger.warning("the http library does not hold unanswered requests; they are suspended instead, which is slower")
        return .suspended
    }

    /// Whether request heads are where `HeadShape` looks for them.
    static func screensHeads(_ logger: Logger) -> Bool {
        if laysOutHeads { return true }
        logger.warning("the http library keeps request heads in another way; folded lines and NULs in them are not refused")
        return false
    }

    /// Sends an honest request to a listener that screens heads; it must be answered.
    private static func passesScreening() -> Bool {
        var configuration = ListenerConfiguration()
        configuration.loops = 1
        configuration.waiting = .suspended
        configuration.screensHeads = true
        guard
            let listener = try? Listener(
                configuration: configuration, handler: Answering(), logger: Logger(label: "self-test")),
            (try? listener.start()) != nil
        else { return false }
        defer { listener.stop() }
        guard let client = Client(port: listener.port) else { return false }
        for _ in 0..<2 {
            guard client.ask(), client.hasAnswer(within: 2000), client.readsNoContent() else { return false }
        }
        return true
    }

    /// Parks two requests on one connection of a plain loopback listener for several passes, then answers them; and lets a
    /// client leave while its request is parked.
    static func passes(_ waiting: ListenerConfiguration.Waiting) -> Bool {
        var configuration = ListenerConfiguration()
        configuration.loops = 1
        configuration.waiting = waiting
        configuration.screensHeads = false
        let probe = Probe()
        guard let listener = try? Listener(configuration: configuration, handler: probe, logger: Logger(label: "self-test")),
            (try? listener.start()) != nil
        else { return false }
        defer { listener.stop() }
        return answersTwice(listener, probe) && survivesLeaving(listener, probe)
    }

    private static func answersTwice(_ listener: Listener, _ probe: Probe) -> Bool {
        guard let client = Client(port: listener.port) else { return false }
        for _ in 0..<2 {
            guard client.ask(), let ticket = probe.next() else { return false }
            for _ in 0..<5 {
                // An unknown ticket wakes the loop: one pass each with the request waiting.
                let unknown = Ticket(loop: 0, slot: .max, generation: 0)
                listener.complete(loop: 0, [(unknown, .empty(500))])
                usleep(1000)
            }
            if client.hasAnswer(within: 0) { return false }
            listener.complete(loop: 0, [(ticket, .empty(204))])
            guard client.hasAnswer(within: 2000), client.readsNoContent() else { return false }
        }
        return true
    }

    private static func survivesLeaving(_ listener: Listener, _ probe: Probe) -> Bool {
        guard let leaving = Client(port: listener.port), leaving.ask(), let ticket = probe.next() else { return false }
        _ = consume leaving
        usleep(2000)
        listener.complete(loop: 0, [(ticket, .empty(204))])
        guard let client = Client(port: listener.port), client.ask(), let next = probe.next() else { return false }
        listener.complete(loop: 0, [(next, .empty(204))])
        return client.hasAnswer(within: 2000) && client.readsNoContent()
    }

    /// Answers everything at once.
    private final class Answering: Handler {
        func limit(_ exchange: Exchange) -> BodyPolicy { .limit(0) }
        func handle(_ exchange: Exchange) { exchange.respond(.empty(204)) }
    }

    /// Parks everything and shows the tickets.
    private final class Probe: Handler {
        private let tickets = Mutex<[Ticket]>([])

        func limit(_ exchange: Exchange) -> BodyPolicy { .limit(0) }

        func handle(_ exchange: Exchange) {
            let ticket = exchange.park()
            tickets.withLock { $0.append(ticket) }
        }

        /// The next request that was parked, or nil after two seconds.
        func next() -> Ticket? {
            for _ in 0..<2000 {
                if let ticket = tickets.withLock({ $0.popLast() }) { return ticket }
                usleep(1000)
            }
            return nil
        }
    }

    /// A blocking client on the loopback address.
    private struct Client: ~Copyable {
        private let descriptor: Int32

        init?(port: UInt16) {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { return nil }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let code = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard code == 0 else { return nil }
        }

        deinit {
            close(descriptor)
        }

        func ask() -> Bool {
            let request = Array("GET /?a=b HTTP/1.1\r\nHost: self-test\r\nAccept: */*\r\n\r\n".utf8)
            return send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count
        }

        func hasAnswer(within milliseconds: Int32) -> Bool {
            var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&waited, 1, milliseconds) == 1
        }

        func readsNoContent() -> Bool {
            var answer = [UInt8](repeating: 0, count: 1024)
            let count = recv(descriptor, &answer, answer.count, 0)
            return count > 12 && answer.starts(with: Array("HTTP/1.1 204".utf8))
        }
    }
}
