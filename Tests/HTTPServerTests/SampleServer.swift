import Dispatch
import Glibc
import HTTPServer
import Logging
import Synchronization

/// A listener with a handler that answers in every way there is, by path.
final class SampleServer: Sendable {
    let listener: Listener
    let handler: SampleHandler

    var port: UInt16 { listener.port }

    init(
        _ waiting: ListenerConfiguration.Waiting = .held, loops: Int = 1, tls: ListenerConfiguration.TLSFiles? = nil,
        _ adjust: (inout ListenerConfiguration) -> Void = { _ in }
    ) throws {
        var configuration = ListenerConfiguration(tls: tls)
        configuration.loops = loops
        configuration.waiting = waiting
        // A test that is not about time must bear a machine that takes its time.
        configuration.limits.headerDeadline = .seconds(600)
        configuration.limits.bodyDeadline = .seconds(600)
        configuration.limits.requestDeadline = .seconds(600)
        configuration.limits.sendDeadline = .seconds(600)
        configuration.limits.idleDeadline = .seconds(600)
        adjust(&configuration)
        handler = SampleHandler()
        listener = try Listener(configuration: configuration, handler: handler, logger: Logger(label: "test"))
        handler.listener.withLock { $0 = WeakListener(listener) }
        try listener.start()
    }

    deinit {
        listener.stop()
    }

    func client() throws -> RawClient {
        try unwrapped(RawClient(port: port))
    }

    /// Waits until the condition holds, for a minute at most.
    func eventually(_ condition: (Statistics) -> Bool) -> Bool {
        for _ in 0..<6000 {
            if condition(listener.statistics) { return true }
            usleep(10_000)
        }
        return false
    }
}

struct Missing: Swift.Error {}

func unwrapped<Value>(_ value: consuming Value?) throws -> Value {
    guard let value else { throw Missing() }
    return value
}

struct WeakListener: Sendable {
    weak let listener: Listener?
    init(_ listener: Listener) { self.listener = listener }
}

final class SampleHandler: Handler {
    let listener = Mutex<WeakListener?>(nil)
    /// Tickets of `/hold`.
    let held = Mutex<[Ticket]>([])
    /// Tickets of `/batch`, released once a cycle.
    private let batch = Mutex<[Ticket]>([])
    let cycles = Atomic<Int>(0)
    let cancelled = Atomic<Int>(0)
    /// Answers with secrets that did not arrive.
    let undelivered = Mutex<[Undelivered]>([])
    /// `/block` stops its loop between the one and the other.
    let isBlocked = DispatchSemaphore(value: 0)
    let goesOn = DispatchSemaphore(value: 0)
    private static let constant = SharedBytes([UInt8](repeating: 0x61, count: 200))

    func limit(_ exchange: Exchange) -> BodyPolicy {
        if text(exchange.path) == "/release-refused" {
            // As if another thread had given leave while the loop was at its connections.
            let tickets = held.withLock { held in
                defer { held = [] }
                return held
            }
            listener.withLock { $0?.listener }?.release(loop: exchange.loop, tickets)
        }
        if text(exchange.path) == "/refused" || text(exchange.path) == "/release-refused" {
            return .refuse(.problem(401, code: "unauthorized", detail: "no", id: exchange.requestID))
        }
        return .limit(text(exchange.path) == "/large" ? 4 << 20 : 65_536)
    }

    func handle(_ exchange: Exchange) {
        let target = listener.withLock { $0?.listener }
        switch text(exchange.path) {
        case "/fixed":
            exchange.respond(Response(contentType: "text/plain", body: .bytes([UInt8](repeating: 0x61, count: 200))))
        case "/shared":
            exchange.respond(Response(contentType: "text/plain", body: .shared(Self.constant)))
        case "/empty":
            exchange.respond(.empty(204))
        case "/echo", "/large":
            exchange.respond(Response(contentType: "text/plain", body: .bytes(Array(exchange.body))))
        case "/describe":
            exchange.respond(Response(contentType: "text/plain", body: .bytes(Array(describe(exchange).utf8))))
        case "/sensitive":
            let buffer = SensitiveBuffer(capacity: 16)
            buffer.append(#"{"secret":""#)
            for _ in 0..<20 { buffer.append("0123456789") }
            buffer.append("\"}" as StaticString)
            exchange.respond(Response(body: .sensitive(buffer)))
        case "/park":
            let ticket = exchange.park()
            SampleHandler.later(5_000) {
                let response = Response(contentType: "text/plain", body: .bytes(Array("late".utf8)))
                target?.complete(loop: ticket.loop, [(ticket, response)])
            }
        case "/prepared":
            let buffer = SensitiveBuffer()
            buffer.append("prepared" as StaticString)
            let ticket = exchange.park(with: Response(contentType: "text/plain", body: .sensitive(buffer)))
            batch.withLock { $0.append(ticket) }
        case "/hold-secret", "/hold-large", "/big-secret":
            let isBig = text(exchange.path) == "/big-secret"
            let buffer = SensitiveBuffer()
            let count = text(exchange.path) == "/hold-large" ? 8000 : 100
            buffer.append([UInt8](repeating: 0x63, count: isBig ? 8 << 20 : count))
            let response = Response(contentType: "text/plain", body: .sensitive(buffer))
            if isBig { return exchange.respond(response) }
            let ticket = exchange.park(with: response)
            held.withLock { $0.append(ticket) }
        case "/hold":
            let ticket = exchange.park()
            held.withLock { $0.append(ticket) }
        case "/stream":
            let stream = ByteStream(capacity: 20_000)
            Task {
                for index in 0..<100 {
                    guard await stream.write([UInt8](repeating: UInt8(0x30 + index % 10), count: 1000)) else { return }
                }
                stream.finish()
            }
            exchange.respond(Response(contentType: "text/plain", body: .stream(stream)))
        case "/broken":
            let stream = ByteStream()
            Task {
                _ = await stream.write([1, 2, 3])
                stream.abort()
            }
            exchange.respond(Response(contentType: "text/plain", body: .stream(stream)))
        case "/async":
            exchange.answer(by: SampleAsyncHandler(handler: self))
        case "/big":
            exchange.respond(Response(contentType: "text/plain", body: .bytes([UInt8](repeating: 0x62, count: 8 << 20))))
        case "/split":
            exchange.respond(Response(headers: [.init("X-Good", "one"), .init("X-Bad", "two\r\nX-Evil: three")]))
        case "/block":
            isBlocked.signal()
            goesOn.wait()
            exchange.respond(.empty(204))
        case "/silent":
            break
        default:
            exchange.respond(.problem(404, code: "not_found", detail: "no such path", id: exchange.requestID))
        }
    }

    func undelivered(_ answer: Undelivered) { undelivered.withLock { $0.append(answer) } }

    func cycleEnded(loop: Int) {
        cycles.wrappingAdd(1, ordering: .relaxed)
        let tickets = batch.withLock { batch in
            let taken = batch
            batch = []
            return taken
        }
        guard !tickets.isEmpty else { return }
        let target = listener.withLock { $0?.listener }
        SampleHandler.later(2_000) {
            for ticket in tickets { target?.release(loop: ticket.loop, [ticket]) }
        }
    }

    /// The next ticket of `/hold`; a try takes ten milliseconds.
    func nextHeld(tries: Int = 6000) -> Ticket? {
        for _ in 0..<tries {
            if let ticket = held.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return ticket }
            usleep(10_000)
        }
        return nil
    }

    private func describe(_ exchange: Exchange) -> String {
        var lines = [
            "method=\(exchange.method.rawValue)", "target=\(text(exchange.target))", "path=\(text(exchange.path))",
            "query=\(text(exchange.query))", "peer=\(exchange.peer)", "id=\(exchange.requestID)",
            "date=\(exchange.header("date").map { text($0) } ?? "-")", "a=\(exchange.headerCount("A"))",
        ]
        exchange.forEachHeader { lines.append("\(text($0)): \(text($1))") }
        return lines.joined(separator: "\n")
    }

    private func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes, as: UTF8.self) }

    static func later(_ microseconds: UInt32, _ action: @escaping @Sendable () -> Void) {
        DispatchQueue.global().asyncAfter(deadline: .now() + .microseconds(Int(microseconds)), execute: action)
    }
}

struct SampleAsyncHandler: AsyncHandler {
    let handler: SampleHandler

    func respond(to request: Request) async -> Response {
        if request.rawQuery.elementsEqual("slow".utf8) {
            do {
                try await Task.sleep(for: .seconds(600))
            } catch {
                handler.cancelled.wrappingAdd(1, ordering: .relaxed)
            }
        }
        let body = request.body.withBytes { Array($0) }
        return Response(contentType: "text/plain", body: .bytes(Array("\(request.method.rawValue):".utf8) + body))
    }
}
