import Dispatch
import Foundation
import HTTPServer
import Synchronization
import Testing

/// Answers that the loop writes itself over TLS and keeps back until they may leave.
@Suite("Withheld answers", .serialized)
struct WithheldTests {
    private static let body = String(repeating: "c", count: 100)

    private static func server(_ adjust: (inout ListenerConfiguration) -> Void = { _ in }) throws -> SampleServer {
        try SampleServer(tls: TLSTests.certificates.get().make("withheld"), adjust)
    }

    private static func causes(_ server: SampleServer) -> [Undelivered.Cause] {
        server.handler.undelivered.withLock { $0.map(\.cause) }
    }

    /// The same, once there are any.
    private static func firstCauses(_ server: SampleServer) -> [Undelivered.Cause] {
        _ = server.eventually { _ in !causes(server).isEmpty }
        return causes(server)
    }

    @Test("nothing of an answer leaves before its release, and the connection goes on after it")
    func releases() async throws {
        try await blocking {
            let server = try Self.server()
            let client = try RawClient.overTLS(port: server.port)
            for _ in 0..<3 {
                client.get("/hold-secret")
                let ticket = try unwrapped(server.handler.nextHeld())
                #expect(!client.hasAnswer(within: 150))
                #expect(server.listener.statistics.parked == 1)
                server.listener.release(loop: 0, [ticket])
                let answer = try unwrapped(client.read())
                #expect(answer.status == 200 && answer.text == Self.body)
                #expect(answer.header("content-type") == "text/plain" && answer.header("cache-control") == "no-store")
                #expect(try #/\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT/#.wholeMatch(in: answer.header("date") ?? "") != nil)
                server.listener.release(loop: 0, [ticket])
            }
            #expect(server.eventually { $0.parked == 0 && $0.answers == 3 })
            #expect(Self.causes(server) == [])
        }
    }

    @Test("another answer takes the place of the one that is withheld")
    func replaces() async throws {
        try await blocking {
            let server = try Self.server()
            let client = try RawClient.overTLS(port: server.port)
            client.get("/hold-secret")
            let ticket = try unwrapped(server.handler.nextHeld())
            let refusal = Response.problem(503, code: "unwritten", detail: "no", id: RequestID(high: 1, low: 2))
            server.listener.complete(loop: 0, [(ticket, refusal)])
            let answer = try unwrapped(client.read())
            #expect(answer.status == 503 && answer.text.contains("unwritten") && !answer.text.contains("ccc"))
            client.get("/fixed")
            #expect(client.read()?.status == 200)
            #expect(server.listener.statistics.parked == 0)
        }
    }

    @Test("an answer whose client leaves is dropped, told, and its ticket is worthless")
    func leaves() async throws {
        try await blocking {
            let server = try Self.server()
            var client: RawClient? = try RawClient.overTLS(port: server.port)
            client?.get("/hold-secret")
            let ticket = try unwrapped(server.handler.nextHeld())
            client = nil
            #expect(server.eventually { $0.parked == 0 && $0.abandoned == 1 && $0.openConnections == 0 })
            #expect(Self.firstCauses(server) == [.clientLeft])
            let next = try RawClient.overTLS(port: server.port)
            next.get("/hold-secret")
            let second = try unwrapped(server.handler.nextHeld())
            server.listener.release(loop: 0, [ticket])
            #expect(!next.hasAnswer(within: 150))
            server.listener.release(loop: 0, [second])
            #expect(next.read()?.text == Self.body)
        }
    }

    @Test(
        "requests behind a withheld answer wait for it, whatever their own answer is", arguments: ["/fixed", "/refused", "/none"])
    func keepsOrder(_ second: String) async throws {
        try await blocking {
            let server = try Self.server()
            let client = try RawClient.overTLS(port: server.port)
            let next = "GET \(second) HTTP/1.1\r\nHost: t\r\n\r\n"
            client.write(
                "GET /hold-secret HTTP/1.1\r\nHost: t\r\n\r\n" + next + "GET /hold-secret HTTP/1.1\r\nHost: t\r\n\r\n" + next)
            for _ in 0..<2 {
                let ticket = try unwrapped(server.handler.nextHeld())
                #expect(!client.hasAnswer(within: 150))
                server.listener.release(loop: 0, [ticket])
                #expect(client.read()?.text == Self.body)
                #expect(client.read()?.status == ["/fixed": 200, "/refused": 401, "/none": 404][second])
            }
            #expect(server.eventually { $0.parked == 0 && $0.answers == 4 })
        }
    }

    @Test(
        "a request that cannot wait lets nothing overtake a withheld answer: the connection ends without either, and that is told",
        arguments: [
            "GET /fixed HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n", "GET /fixed HTTP/1.1\r\nno colon\r\n\r\n",
            "GET /fixed HTTP/3.7\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
            "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: -5\r\n\r\n",
        ])
    func malformed(_ second: String) async throws {
        try await blocking {
            let server = try Self.server()
            let client = try RawClient.overTLS(port: server.port)
            client.write("GET /hold-secret HTTP/1.1\r\nHost: t\r\n\r\n" + second)
            let ticket = try unwrapped(server.handler.nextHeld())
            #expect(client.read() == nil)
            server.listener.release(loop: 0, [ticket])
            #expect(server.eventually { $0.parked == 0 && $0.openConnections == 0 })
            #expect(Self.firstCauses(server) == [.clientLeft])
        }
    }

    @Test("a request that cannot wait is answered where the answer before it left just now, before the loop heard of that")
    func releasedMeanwhile() async throws {
        try await blocking {
            let server = try Self.server()
            let client = try RawClient.overTLS(port: server.port)
            client.write(
                "GET /hold-secret HTTP/1.1\r\nHost: t\r\n\r\n"
                    + "POST /release-refused HTTP/1.1\r\nHost: t\r\nContent-Length: 5242880\r\n\r\n")
            #expect(client.read()?.text == Self.body)
            #expect(client.read()?.status == 401)
            #expect(client.isEnded())
            #expect(Self.causes(server) == [])
        }
    }

    @Test("an answer that got leave and that no socket took, since its client was gone, is told as undelivered")
    func unsent() async throws {
        try await blocking {
            let server = try Self.server()
            let client = try SlowReader(port: server.port, requests: 2, target: "/hold-secret")
            let read = try unwrapped(server.handler.nextHeld())
            server.listener.release(loop: 0, [read])
            let ticket = try unwrapped(server.handler.nextHeld())
            // The loop must not notice that the client leaves, before its answer gets leave.
            let other = try RawClient.overTLS(port: server.port)
            other.get("/block")
            server.handler.isBlocked.wait()
            client.kill()
            for _ in 0..<6000 where try Self.established(server) > 1 { usleep(10_000) }
            server.listener.release(loop: 0, [ticket])
            server.handler.goesOn.signal()
            #expect(other.read()?.status == 204)
            #expect(server.eventually { $0.openConnections == 1 })
            #expect(Self.firstCauses(server) == [.broken])
        }
    }

    /// Connections of a server that its kernel believes to be whole.
    private static func established(_ server: SampleServer) throws -> Int {
        let port = ":" + String(format: "%04X", Int(server.port)) + " "
        let lines = try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8).split(separator: "\n")
        return lines.filter { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 && "\(fields[1]) ".hasSuffix(port) && fields[3] == "01"
        }.count
    }

    @Test("a client that reads slowly gets no answer before its release, however full its socket is")
    func slowReader() async throws {
        try await blocking {
            let server = try Self.server()
            let client = try SlowReader(port: server.port, requests: 2000, target: "/hold-large")
            var released = 0
            // Until the sockets are full and the library takes no more requests.
            while let ticket = server.handler.nextHeld(tries: released <= 3 ? 6000 : 100) {
                server.listener.release(loop: 0, [ticket])
                released += 1
            }
            #expect(released > 3 && released < 2000)
            for _ in 0..<3 {
                let received = try client.readAll(released)
                let ticket = try unwrapped(server.handler.nextHeld())
                #expect(received == released)
                server.listener.release(loop: 0, [ticket])
                released += 1
            }
        }
    }

    @Test("a client that says that it is done with the connection, and closes its side, gets its answer")
    func halfClosed() async throws {
        try await blocking {
            let server = try Self.server()
            let client = try RawClient.overTLS(port: server.port)
            client.write("GET /hold-secret HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
            let ticket = try unwrapped(server.handler.nextHeld())
            #expect(!client.hasAnswer(within: 150))
            server.listener.release(loop: 0, [ticket])
            #expect(client.read()?.text == Self.body)
            #expect(client.isEnded())
        }
    }

    @Test("a withheld answer has the request's deadline")
    func overdue() async throws {
        try await blocking {
            let server = try Self.server { $0.limits.requestDeadline = .milliseconds(500) }
            let client = try RawClient.overTLS(port: server.port)
            client.get("/hold-secret")
            let ticket = try unwrapped(server.handler.nextHeld())
            let answer = try unwrapped(client.read())
            #expect(answer.status == 503 && answer.text.contains("overdue"))
            server.listener.release(loop: 0, [ticket])
            #expect(server.listener.statistics.overdue == 1)
            #expect(Self.firstCauses(server) == [.overdue])
            client.get("/fixed")
            #expect(client.read()?.status == 200)
        }
    }

    @Test("draining waits for a withheld answer, and a stop answers 503 in its place", arguments: [true, false])
    func drains(_ isReleased: Bool) async throws {
        try await blocking {
            let server = try Self.server()
            let client = try RawClient.overTLS(port: server.port)
            client.get("/hold-secret")
            let ticket = try unwrapped(server.handler.nextHeld())
            let listener = server.listener
            let stopping = Task { await listener.drain(deadline: isReleased ? .seconds(60) : .milliseconds(300)) }
            if isReleased {
                #expect(!client.hasAnswer(within: 150))
                listener.release(loop: 0, [ticket])
            }
            #expect(client.read()?.status == (isReleased ? 200 : 503))
            #expect(client.isEnded())
            _ = stopping
        }
    }

    @Test("many answers that may leave at once all arrive, each once and on its own connection")
    func together() async throws {
        try await blocking {
            let server = try Self.server()
            let clients = try (0..<12).map { _ in try RawClient.overTLS(port: server.port) }
            for _ in 0..<20 {
                for client in clients { client.get("/hold-secret") }
                let tickets = try clients.map { _ in try unwrapped(server.handler.nextHeld()) }
                server.listener.release(loop: 0, tickets)
                for client in clients { #expect(client.read()?.text == Self.body) }
            }
            #expect(server.eventually { $0.parked == 0 && $0.answers == 240 })
            #expect(Self.causes(server) == [])
        }
    }

    @Test("requests that wait behind many answers are answered after them, and nothing overtakes")
    func togetherInOrder() async throws {
        try await blocking {
            let server = try Self.server()
            let clients = try (0..<8).map { _ in try RawClient.overTLS(port: server.port) }
            for client in clients {
                client.write("GET /hold-secret HTTP/1.1\r\nHost: t\r\n\r\nGET /fixed HTTP/1.1\r\nHost: t\r\n\r\n")
            }
            let tickets = try clients.map { _ in try unwrapped(server.handler.nextHeld()) }
            server.listener.release(loop: 0, tickets)
            for client in clients {
                #expect(client.read()?.text == Self.body)
                #expect(client.read()?.status == 200)
            }
        }
    }

    @Test("many slow readers get what their sockets did not take at first", .timeLimit(.minutes(15)))
    func slowTogether() async throws {
        try await blocking {
            let server = try Self.server()
            let clients = try (0..<5).map { _ in try SlowReader(port: server.port, requests: 1500, target: "/hold-large") }
            var released = 0
            while true {
                var tickets: [Ticket] = []
                while tickets.count < clients.count,
                    let ticket = server.handler.nextHeld(tries: released + tickets.count <= 15 ? 6000 : 100)
                { tickets.append(ticket) }
                guard !tickets.isEmpty else { break }
                server.listener.release(loop: 0, tickets)
                released += tickets.count
            }
            #expect(released > 15 && released < 7500)
            var received = 0
            // A stall looks like the end.
            for _ in 0..<60 where received < released { received = try clients.reduce(0) { try $0 + $1.readAll(0) } }
            #expect(received == released)
        }
    }

    @Test("a stop, or clients that leave, right after many answers may leave loses none of them to another connection")
    func endsTogether() async throws {
        try await blocking {
            for stops in [true, false, true, false] {
                let server = try Self.server()
                var clients = try (0..<16).map { _ in try RawClient.overTLS(port: server.port) }
                for client in clients { client.get("/hold-secret") }
                let tickets = try clients.map { _ in try unwrapped(server.handler.nextHeld()) }
                server.listener.release(loop: 0, tickets)
                if stops {
                    let listener = server.listener
                    let stopping = Task { await listener.drain(deadline: .seconds(60)) }
                    for client in clients { #expect(client.read()?.text == Self.body) }
                    _ = stopping
                } else {
                    clients = []
                    #expect(server.eventually { $0.parked == 0 && $0.openConnections == 0 })
                }
            }
        }
    }

    @Test("clients that leave at the very moment at which their answers get leave harm nobody")
    func leaveAsReleased() async throws {
        try await blocking {
            let server = try Self.server()
            for round in 0..<60 {
                var clients = try (0..<8).map { _ in try RawClient.overTLS(port: server.port) }
                for client in clients { client.get("/hold-secret") }
                let tickets = try clients.map { _ in try unwrapped(server.handler.nextHeld()) }
                let listener = server.listener
                let releasing = DispatchGroup()
                DispatchQueue.global().async(group: releasing) {
                    for (index, ticket) in tickets.enumerated() {
                        usleep(UInt32(round * 7 + index * 20))
                        listener.release(loop: 0, [ticket])
                    }
                }
                clients = []
                releasing.wait()
                #expect(server.eventually { $0.parked == 0 && $0.openConnections == 0 })
            }
            let next = try RawClient.overTLS(port: server.port)
            next.get("/fixed")
            #expect(next.read()?.status == 200)
        }
    }

    @Test(
        "answers that leave while their clients go on asking, and ask for new keys, are whole and in order",
        .timeLimit(.minutes(15)))
    func whileReading() async throws {
        try await blocking {
            let server = try Self.server()
            let clients = try (0..<4).map { _ in try RawClient.overTLS(port: server.port) }
            let isOver = Atomic(false)
            let releasing = DispatchGroup()
            DispatchQueue.global().async(group: releasing) {
                while !isOver.load(ordering: .relaxed) {
                    if let ticket = server.handler.nextHeld(tries: 1) { server.listener.release(loop: 0, [ticket]) }
                }
            }
            for round in 0..<3 {
                for _ in 0..<50 {
                    for client in clients {
                        client.write(
                            "GET /hold-secret HTTP/1.1\r\nHost: t\r\n\r\nGET /describe?\(round) HTTP/1.1\r\nHost: t\r\n\r\n")
                    }
                }
                for client in clients {
                    for _ in 0..<50 {
                        #expect(client.read()?.text == Self.body)
                        #expect(client.read()?.text.contains("query=\(round)\n") == true)
                    }
                }
                // A command of the program: the client changes its keys, and asks the server to change its own.
                for client in clients { client.write("K\n") }
                for client in clients { client.waitUntilTaken() }
            }
            isOver.store(true, ordering: .relaxed)
            releasing.wait()
            #expect(server.eventually { $0.parked == 0 && $0.answers == 1200 })
            #expect(Self.causes(server) == [])
        }
    }

    @Test("headers that could end their line are left out, and a HEAD has no body")
    func heads() async throws {
        try await blocking {
            let server = try Self.server()
            let client = try RawClient.overTLS(port: server.port)
            client.write("HEAD /fixed HTTP/1.1\r\nHost: t\r\n\r\n")
            let answer = try unwrapped(client.read(withoutBody: true))
            #expect(answer.status == 200 && answer.header("content-length") == "200")
            client.get("/empty")
            let empty = try unwrapped(client.read())
            #expect(empty.status == 204 && empty.header("content-length") == nil)
            client.get("/split")
            let split = try unwrapped(client.read())
            #expect(
                split.status == 200 && split.header("x-good") == "one" && split.header("x-bad") == nil
                    && split.header("x-evil") == nil)
        }
    }
}
