import Glibc
import HTTPServer
import Synchronization
import Testing

@Suite("Limits", .serialized)
struct LimitsTests {
    private static func server(
        _ waiting: ListenerConfiguration.Waiting = .held, _ adjust: (inout ListenerConfiguration.Limits) -> Void
    ) throws -> SampleServer {
        try SampleServer(waiting, loops: 2) { adjust(&$0.limits) }
    }

    @Test("connections beyond the limit per address are turned away, counted across loops")
    func perAddress() async throws {
        try await blocking {
            let server = try Self.server { $0.connectionsPerAddress = 5 }
            var clients = try (0..<5).map { _ in try server.client() }
            for client in clients {
                client.get("/fixed")
                #expect(client.read()?.status == 200)
            }
            let sixth = try server.client()
            #expect(sixth.isEnded())
            clients.removeLast()
            #expect(server.eventually { $0.openConnections == 4 })
            let again = try server.client()
            again.get("/fixed")
            #expect(again.read()?.status == 200)
            #expect(server.listener.statistics.refusedConnections == 1)
        }
    }

    @Test("a trusted proxy has no limit of its own, but the limit of all holds")
    func exempt() async throws {
        try await blocking {
            let server = try Self.server {
                $0.connectionsPerAddress = 2
                $0.connections = 6
                $0.isExempt = { $0 == PeerAddress(text: "127.0.0.1") }
            }
            let clients = try (0..<6).map { _ in try server.client() }
            for client in clients {
                client.get("/fixed")
                #expect(client.read()?.status == 200)
            }
            let seventh = try server.client()
            seventh.get("/fixed")
            usleep(100_000)
            // Turned away, or left in the queue of the kernel: not served in any case.
            #expect(server.listener.statistics.openConnections == 6)
            #expect(server.listener.statistics.requests == 6)
        }
    }

    @Test("headers that drip are cut at the deadline", arguments: [0, 1])
    func headerDrip(kept: Int) async throws {
        try await blocking {
            let server = try Self.server {
                $0.headerDeadline = .milliseconds(400)
                $0.idleDeadline = .milliseconds(400)
            }
            let client = try server.client()
            if kept == 1 {
                client.get("/fixed")
                _ = client.read()
            }
            for byte in "GET /fixed HTTP/1.1\r\nHost: aaaaaaaaaaaaaaaaaaaaaaaaaaa".utf8 {
                client.write([byte])
                usleep(20_000)
                if server.listener.statistics.cutConnections == 1 { break }
            }
            #expect(client.isEnded())
            #expect(server.listener.statistics.cutConnections == 1)
        }
    }

    @Test("a body that drips is cut at the deadline")
    func bodyDrip() async throws {
        try await blocking {
            let server = try Self.server { $0.bodyDeadline = .milliseconds(300) }
            let client = try server.client()
            client.write("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n")
            for _ in 0..<40 where server.listener.statistics.cutConnections == 0 {
                client.write("x")
                usleep(20_000)
            }
            #expect(client.isEnded())
            #expect(server.eventually { $0.openConnections == 0 && $0.bodyBytes == 0 })
        }
    }

    @Test("an idle connection ends after its time")
    func idle() async throws {
        try await blocking {
            let server = try Self.server { $0.idleDeadline = .seconds(2) }
            let client = try server.client()
            client.get("/fixed")
            #expect(client.read()?.status == 200)
            #expect(client.isEnded())
        }
    }

    @Test("a client that never reads its answer is cut")
    func neverReads() async throws {
        try await blocking {
            let server = try Self.server { $0.sendDeadline = .milliseconds(300) }
            let client = try unwrapped(RawClient(port: server.port, receiveBuffer: 4096))
            client.get("/big")
            #expect(server.eventually { $0.cutConnections == 1 && $0.openConnections == 0 })
        }
    }

    @Test(
        "an exchange that nobody answers is answered 503, its task is cancelled and its ticket void",
        arguments: [ListenerConfiguration.Waiting.held, .suspended])
    func overdue(_ waiting: ListenerConfiguration.Waiting) async throws {
        try await blocking {
            let server = try Self.server(waiting) { $0.requestDeadline = .milliseconds(500) }
            let client = try server.client()
            client.get("/async?slow")
            let answer = try unwrapped(client.read())
            #expect(answer.status == 503)
            #expect(answer.text.contains(#""code":"overdue""#))
            for _ in 0..<6000 where server.handler.cancelled.load(ordering: .relaxed) == 0 { usleep(10_000) }
            #expect(server.handler.cancelled.load(ordering: .relaxed) == 1)
            client.get("/hold")
            let ticket = try unwrapped(server.handler.nextHeld())
            #expect(client.read()?.status == 503)
            server.listener.complete(loop: ticket.loop, [(ticket, .empty(204))])
            client.get("/fixed")
            #expect(client.read()?.status == 200)
            #expect(server.listener.statistics.overdue == 2)
        }
    }

    @Test(
        "an answer with a secret that cannot be sent is told: after its deadline, to a client that left, to one that never reads")
    func undelivered() async throws {
        try await blocking {
            func causes(_ server: SampleServer, _ count: Int) -> [Undelivered.Cause] {
                for _ in 0..<6000 where server.handler.undelivered.withLock({ $0.count }) < count { usleep(10_000) }
                return server.handler.undelivered.withLock { $0.map(\.cause) }
            }
            let late = try Self.server { $0.requestDeadline = .seconds(3) }
            let client = try late.client()
            client.get("/prepared")
            #expect(client.read()?.status == 200)
            client.get("/hold-secret")
            #expect(client.read()?.status == 503)
            #expect(causes(late, 1) == [.overdue])

            let server = try Self.server { $0.sendDeadline = .milliseconds(300) }
            var leaving: RawClient? = try server.client()
            leaving?.resetOnClose()
            leaving?.get("/hold-secret")
            let ticket = try unwrapped(server.handler.nextHeld())
            leaving = nil
            usleep(50_000)
            server.listener.release(loop: ticket.loop, [ticket])
            let first = causes(server, 1)
            #expect(first == [.clientLeft] || first == [.broken])
            let deaf = try unwrapped(RawClient(port: server.port, receiveBuffer: 4096))
            deaf.get("/big-secret")
            #expect(causes(server, 2).last == .broken)
            let honest = try server.client()
            honest.get("/sensitive")
            #expect(honest.read()?.status == 200)
            #expect(causes(server, 2).count == 2)
        }
    }

    @Test("a body over the limit is 413 and the connection goes on; one far over it ends the connection")
    func bodyLimit() async throws {
        try await blocking {
            let server = try Self.server { $0.drainedBytes = 200_000 }
            let client = try server.client()
            let body = [UInt8](repeating: 0x78, count: 65_537)
            client.write(Array("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 65537\r\n\r\n".utf8) + body)
            #expect(client.read()?.status == 413)
            client.write("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n")
            client.write(body + Array("\r\n0\r\n\r\n".utf8))
            #expect(client.read()?.status == 413)
            client.write(Array("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 65536\r\n\r\n".utf8) + body.dropLast())
            #expect(client.read()?.status == 200)
            client.write("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 200001\r\n\r\n")
            let answer = try unwrapped(client.read())
            #expect(answer.status == 413)
            #expect(answer.headers["connection"]?.count == 1)
            #expect(client.isEnded())
        }
    }

    @Test("a chunked body without end is cut at the bound")
    func endlessChunks() async throws {
        try await blocking {
            let server = try Self.server { $0.drainedBytes = 200_000 }
            let client = try server.client()
            client.write("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 0x78, count: 65_536) + Array("\r\n".utf8)
            for _ in 0..<20 { client.write(chunk) }
            #expect(client.isEnded())
            #expect(server.eventually { $0.openConnections == 0 && $0.bodyBytes == 0 })
        }
    }

    @Test("the client that asks for leave to send too much gets the refusal instead")
    func expectation() async throws {
        try await blocking {
            let server = try Self.server { _ in }
            let client = try server.client()
            client.write("POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n\r\n")
            #expect(client.read()?.status == 413)
            let other = try server.client()
            other.write("POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(other.read(withoutBody: true)?.status == 100)
            other.write("ok")
            #expect(other.read()?.text == "ok")
        }
    }

    /// Whose room is too small for two uploads at once.
    enum Room: CaseIterable, Sendable { case all, address }

    @Test("uploads beyond the memory for all bodies, or for those of one address, are turned away", arguments: Room.allCases)
    func budget(_ room: Room) async throws {
        try await blocking {
            let server = try Self.server {
                switch room {
                case .all: $0.bodyBytesInAll = 100_000
                case .address: $0.bodyBytesPerAddress = 100_000
                }
            }
            let body = [UInt8](repeating: 0x78, count: 60_000)
            let first = try server.client()
            first.write(Array("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 60001\r\n\r\n".utf8) + body)
            #expect(server.eventually { $0.bodyBytes >= 60_000 })
            let second = try server.client()
            second.write(Array("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\n".utf8) + body)
            #expect(second.read()?.status == 503)
            first.write("x")
            #expect(first.read()?.status == 200)
            #expect(server.eventually { $0.bodyBytes == 0 })
        }
    }

    @Test("headers beyond the memory of a connection are 431", arguments: [6_000, 12_000, 40_000])
    func headerBytes(count: Int) async throws {
        try await blocking {
            let server = try Self.server { _ in }
            let client = try server.client()
            client.get("/fixed", "X-Long: " + String(repeating: "a", count: count) + "\r\n")
            #expect(client.read()?.status == (count < 8_192 ? 200 : 431))
        }
    }

    @Test("a refusal of the handler leaves the connection usable, whether or not there is a body")
    func refusal() async throws {
        try await blocking {
            let server = try Self.server { _ in }
            let client = try server.client()
            for _ in 0..<3 {
                client.get("/refused")
                #expect(client.read()?.status == 401)
                client.write("POST /refused HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello")
                #expect(client.read()?.status == 401)
            }
            client.get("/fixed")
            #expect(client.read()?.status == 200)
            #expect(server.listener.statistics.acceptedConnections == 1)
        }
    }
}
