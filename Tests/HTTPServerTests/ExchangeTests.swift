import Glibc
import HTTPServer
import Synchronization
import Testing

/// Both ways of waiting, with one loop and with two: every test of the suite must pass in each.
struct Setting: Sendable, CustomStringConvertible {
    let waiting: ListenerConfiguration.Waiting
    let loops: Int

    var description: String { "\(waiting), \(loops) loops" }

    static let all = [
        Setting(waiting: .held, loops: 1), Setting(waiting: .held, loops: 2),
        Setting(waiting: .suspended, loops: 1), Setting(waiting: .suspended, loops: 2),
    ]
}

@Suite("Exchange", .serialized)
struct ExchangeTests {
    @Test("an answer comes at once and the connection goes on", arguments: Setting.all)
    func keepsAlive(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let client = try server.client()
            for path in ["/fixed", "/shared", "/empty", "/fixed"] {
                client.get(path)
                let answer = try unwrapped(client.read())
                #expect(answer.status == (path == "/empty" ? 204 : 200))
                #expect(answer.body.count == (path == "/empty" ? 0 : 200))
                #expect(answer.header("date") != nil)
                #expect(answer.header("server") == nil)
            }
            #expect(server.listener.statistics.acceptedConnections == 1)
            #expect(server.listener.statistics.requests == 4)
            #expect(server.handler.cycles.load(ordering: .relaxed) > 0)
        }
    }

    @Test("parked requests are answered from another thread", arguments: Setting.all)
    func parks(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let clients = try (0..<20).map { _ in try server.client() }
            for _ in 0..<3 {
                for (index, client) in clients.enumerated() { client.get(index % 2 == 0 ? "/park" : "/prepared") }
                for (index, client) in clients.enumerated() {
                    #expect(client.read()?.text == (index % 2 == 0 ? "late" : "prepared"))
                }
            }
            #expect(server.eventually { $0.parked == 0 })
            #expect(server.listener.statistics.answers == 60)
        }
    }

    @Test("requests sent together are answered in order", arguments: Setting.all)
    func pipelines(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let client = try server.client()
            let paths = (0..<12).map { $0 % 3 == 0 ? "/park" : $0 % 3 == 1 ? "/fixed" : "/prepared" }
            client.write(paths.map { "GET \($0) HTTP/1.1\r\nHost: test\r\n\r\n" }.joined())
            for path in paths {
                let answer = try unwrapped(client.read())
                #expect(
                    answer.text
                        == (path == "/park" ? "late" : path == "/prepared" ? "prepared" : String(repeating: "a", count: 200)))
            }
        }
    }

    @Test("an exchange shows the request as it was received", arguments: Setting.all)
    func describes(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let client = try server.client()
            client.get("/describe?x=%41+b&y=a%2Fb", "DATE: today\r\nA: 1\r\na: 2\r\n")
            let text = try unwrapped(client.read()).text
            for line in [
                "method=GET", "target=/describe?x=%41+b&y=a%2Fb", "path=/describe", "query=x=%41+b&y=a%2Fb", "peer=127.0.0.1",
                "date=today", "a=2", "DATE: today", "a: 2",
            ] {
                #expect(text.contains(line + "\n") || text.hasSuffix(line))
            }
        }
    }

    @Test("bodies arrive whole, by length and in chunks", arguments: Setting.all)
    func collects(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let client = try server.client()
            let body = (0..<60_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            client.write(Array("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 60000\r\n\r\n".utf8) + body)
            #expect(client.read()?.body == body)
            client.write("POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in stride(from: 0, to: 60_000, by: 10_000) {
                client.write(Array("2710\r\n".utf8) + body[start..<(start + 10_000)] + Array("\r\n".utf8))
            }
            client.write("0\r\n\r\n")
            #expect(client.read()?.body == body)
            client.write("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")
            #expect(client.read()?.status == 200)
            #expect(server.eventually { $0.bodyBytes == 0 })
        }
    }

    @Test("a large body comes through although it does not fit the connection's memory", arguments: Setting.all)
    func collectsLarge(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let holding = try server.client()
            holding.get("/hold")
            #expect(server.handler.nextHeld() != nil)
            let client = try server.client()
            let body = [UInt8](repeating: 0x7a, count: 2 << 20)
            client.write(Array("POST /large HTTP/1.1\r\nHost: t\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body)
            #expect(client.read()?.body.count == body.count)
        }
    }

    @Test("HEAD has the headers of GET and no body", arguments: Setting.all)
    func head(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let client = try server.client()
            client.write("HEAD /fixed HTTP/1.1\r\nHost: t\r\n\r\n")
            let answer = try unwrapped(client.read(withoutBody: true))
            #expect(answer.status == 200)
            #expect(answer.header("content-length") == "200")
            client.get("/empty")
            #expect(client.read()?.status == 204)
        }
    }

    @Test("a body that carries a secret is not to be stored", arguments: Setting.all)
    func sensitive(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let client = try server.client()
            client.get("/sensitive")
            let answer = try unwrapped(client.read())
            #expect(answer.body.count == 11 + 200 + 2)
            #expect(answer.header("cache-control") == "no-store")
            #expect(answer.header("content-type") == "application/json")
        }
    }

    @Test("a stream is sent while it is made", arguments: Setting.all)
    func streams(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let client = try server.client()
            for _ in 0..<2 {
                client.get("/stream")
                let answer = try unwrapped(client.read())
                #expect(answer.body.count == 100_000)
                #expect(answer.body.last == 0x39)
            }
            client.get("/broken")
            #expect(client.read() == nil)
        }
    }

    @Test("an async handler gets a copy and answers later", arguments: Setting.all)
    func asynchronous(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let client = try server.client()
            for _ in 0..<3 {
                client.write("PUT /async HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello")
                #expect(client.read()?.text == "PUT:hello")
            }
        }
    }

    @Test("a handler that forgets to answer answers 500", arguments: Setting.all)
    func silent(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let client = try server.client()
            client.get("/silent")
            let answer = try unwrapped(client.read())
            #expect(answer.status == 500)
            #expect(answer.text.hasPrefix(#"{"detail":"the request was not answered","code":"internal_error","request_id":""#))
        }
    }

    @Test("a ticket is worth one answer", arguments: Setting.all)
    func ticketOnce(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            let client = try server.client()
            client.get("/hold")
            let first = try unwrapped(server.handler.nextHeld())
            server.listener.complete(loop: first.loop, [(first, .empty(204)), (first, .empty(202))])
            #expect(client.read()?.status == 204)
            client.get("/hold")
            let second = try unwrapped(server.handler.nextHeld())
            server.listener.complete(loop: first.loop, [(first, .empty(202))])
            server.listener.complete(loop: second.loop, [(second, .empty(204))])
            #expect(client.read()?.status == 204)
        }
    }

    @Test("clients that leave while they wait do no harm", arguments: Setting.all)
    func leaves(_ setting: Setting) async throws {
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops)
            var clients: [RawClient] = []
            for index in 0..<100 {
                let client = try server.client()
                if index % 2 == 0 { client.resetOnClose() }
                client.get(index % 3 == 0 ? "/hold" : index % 3 == 1 ? "/park" : "/prepared")
                clients.append(client)
            }
            #expect(server.eventually { $0.requests == 100 })
            clients = []
            for _ in 0..<34 {
                let ticket = try unwrapped(server.handler.nextHeld())
                server.listener.complete(loop: ticket.loop, [(ticket, .empty(204))])
            }
            #expect(server.eventually { $0.openConnections == 0 && $0.parked == 0 })
            let client = try server.client()
            client.get("/park")
            #expect(client.read()?.text == "late")
        }
    }
}
