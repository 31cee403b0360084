import Glibc
import HTTPServer
import Logging
import Synchronization
import Testing

@Suite("Listener", .serialized)
struct ListenerTests {
    @Test("the self-test passes with the library at hand, in both modes, and automatic means held")
    func selfTest() async throws {
        try await blocking {
            let server = try SampleServer(.automatic)
            #expect(server.listener.waiting == .held)
        }
    }

    @Test("draining lets parked requests finish and closes idle connections", arguments: Setting.all)
    func drains(_ setting: Setting) async throws {
        let server = try SampleServer(setting.waiting, loops: setting.loops)
        let idle = try server.client()
        let busy = try server.client()
        try await blocking {
            idle.get("/fixed")
            #expect(idle.read()?.status == 200)
            busy.get("/hold")
        }
        let ticket = try unwrapped(server.handler.nextHeld())
        async let drained: Void = server.listener.drain(deadline: .seconds(120))
        try await blocking {
            #expect(idle.isEnded())
            #expect(RawClient(port: server.port)?.read() == nil)
            server.listener.complete(loop: ticket.loop, [(ticket, Response(body: .bytes(Array("done".utf8))))])
            let answer = busy.read()
            #expect(answer?.text == "done")
            #expect(answer?.header("connection") == "close")
        }
        await drained
        #expect(server.listener.statistics.openConnections == 0)
    }

    @Test("at the drain's deadline and at a stop parked requests are answered 503", arguments: Setting.all)
    func stops(_ setting: Setting) async throws {
        for drains in [true, false] {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let clients = try (0..<10).map { _ in try server.client() }
            try await blocking {
                for client in clients { client.get("/hold") }
                #expect(server.eventually { $0.parked == 10 })
            }
            if drains { await server.listener.drain(deadline: .milliseconds(100)) } else { server.listener.stop() }
            try await blocking {
                for client in clients { #expect(client.read()?.status == 503) }
            }
            #expect(server.listener.statistics.openConnections == 0)
            server.listener.stop()
        }
    }

    @Test("a port that is taken is refused, also with several loops")
    func portTaken() throws {
        let server = try SampleServer(loops: 2)
        #expect(throws: ListenerError.self) { try SampleServer(loops: 2) { $0.port = server.port } }
        #expect(throws: ListenerError.self) { try SampleServer(loops: 1) { $0.port = server.port } }
        #expect(throws: ListenerError.self) { try SampleServer { $0.host = "localhost" } }
    }

    @Test("an IPv4 client of a dual-stack listener has its IPv4 address")
    func dualStack() async throws {
        try await blocking {
            let server = try SampleServer { $0.host = "::" }
            let client = try server.client()
            client.get("/describe")
            #expect(client.read()?.text.contains("peer=127.0.0.1\n") == true)
            #expect(try shell("curl -s 'http://[::1]:\(server.port)/describe'").contains("peer=::1\n"))
        }
    }

    @Test("256 connections at once do not stall", arguments: Setting.all)
    func many(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let clients = try (0..<256).map { _ in try server.client() }
            let start = MonotonicTime.now
            for round in 0..<5 {
                for client in clients { client.get(round % 2 == 0 ? "/prepared" : "/fixed") }
                for client in clients { #expect(client.read()?.status == 200) }
            }
            #expect(MonotonicTime.now.since(start) < .seconds(60))
        }
    }

    @Test("a loop that is never started ends without harm")
    func neverStarted() throws {
        let listener = try Listener(
            configuration: ListenerConfiguration(), handler: SampleHandler(), logger: Logger(label: "test"))
        listener.stop()
        #expect(listener.port != 0)
    }
}
