import Foundation
import TestSupport
import Testing

/// Clients that behave badly on the wire, and honest ones that must not notice.
@Suite("Bad clients")
struct BadClientTests {
    @Test("handshakes that are cut anywhere, plain requests and noise do no harm")
    func brokenHandshakes() async throws {
        let vault = try await SmallVault.start()
        let script = """
            import random, socket, ssl, sys
            port = int(sys.argv[1])
            random.seed(7)
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            context = ssl.create_default_context()
            client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
            try: client.do_handshake()
            except ssl.SSLWantReadError: pass
            hello = outgoing.read()
            pieces = [hello[:n] for n in range(1, len(hello), max(1, len(hello) // 40))] + [b"GET / HTTP/1.1\\r\\n\\r\\n"]
            for _ in range(40):
                broken = bytearray(hello)
                broken[random.randrange(len(broken))] ^= 1 << random.randrange(8)
                pieces += [bytes(broken), random.randbytes(random.randrange(1, 2000))]
            for piece in pieces:
                connection = socket.create_connection(("127.0.0.1", port))
                connection.sendall(piece)
                connection.close()
            """
        let finished = try await RunningProgram.run("python3", ["-c", script, "\(vault.server.port)"])
        #expect(finished.succeeded, "\(finished.standardError)")
        #expect(try await vault.key.fetch(over: APIConnection(vault.server)).status == 200)
        #expect(vault.server.program?.poll() == nil)
    }

    @Test("a client that never reads is held to little memory, and others are served meanwhile")
    func neverReads() async throws {
        let vault = try await SmallVault.start()
        // A long answer: the description of the whole API, asked for again and again and never read.
        let script = """
            import socket, ssl, sys, time
            plain = socket.socket()
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.connect(("127.0.0.1", int(sys.argv[1])))
            context = ssl.create_default_context(cafile=sys.argv[2])
            connection = context.wrap_socket(plain, server_hostname="localhost")
            request = b"GET /api/docs/openapi.json HTTP/1.1\\r\\nHost: localhost\\r\\nAuthorization: Bearer %s\\r\\n\\r\\n" % sys.argv[3].encode()
            connection.settimeout(1)
            try:
                while True: connection.sendall(request * 100)
            except OSError: pass
            print("full", flush=True)
            time.sleep(60)
            """
        let before = try Self.residentKilobytes(vault.server)
        let clients = try (0..<4).map { _ in
            try RunningProgram(
                "python3",
                ["-c", script, "\(vault.server.port)", vault.server.firstLogin.caCertificate, vault.admin.token])
        }
        for client in clients { try await client.waitForOutput("full") }
        let connection = APIConnection(vault.server)
        for _ in 0..<20 { #expect(try await vault.key.fetch(over: connection).status == 200) }
        #expect(try Self.residentKilobytes(vault.server) - before < 64 << 10)
    }

    @Test("thousands of connections that say nothing keep nobody out, and are cut")
    func idleConnections() async throws {
        let vault = try await SmallVault.start(configuration: "limits: {header_timeout: 2s, idle_timeout: 2s}\n")
        let script = """
            import resource, select, socket, sys
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            wanted = min(5000, hard - 100 if hard > 0 else 5000)
            held = []
            for number in range(wanted):
                connection = socket.socket()
                connection.bind(("127.0.0.%d" % (10 + number // 1000), 0))
                connection.connect(("127.0.0.1", int(sys.argv[1])))
                held.append(connection)
            print("open", wanted, flush=True)
            sys.stdin.readline()
            ended = 0
            for connection in held:
                connection.settimeout(60)
                try: ended += connection.recv(1) == b""
                except ConnectionResetError: ended += 1
            print("cut", ended, flush=True)
            """
        let client = try RunningProgram("python3", ["-c", script, "\(vault.server.port)"])
        try await client.waitForOutput("open")
        let opened =
            client.standardOutput.split(separator: " ").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
        #expect((Int(opened) ?? 0) >= 1_000)
        let connection = APIConnection(vault.server)
        for _ in 0..<20 { #expect(try await vault.key.fetch(over: connection).status == 200) }
        try client.send("now\n")
        try await client.waitForOutput("cut")
        #expect(client.standardOutput.contains("cut \(opened)\n"))
        #expect(try await vault.key.fetch(over: connection).status == 200)
    }

    @Test("a slow drip of a request is cut at the deadline")
    func drip() async throws {
        let vault = try await SmallVault.start(configuration: "limits: {header_timeout: 4s, body_timeout: 4s}\n")
        let script = """
            import socket, ssl, sys, time
            context = ssl.create_default_context(cafile=sys.argv[2])
            for head in [b"GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nX-Drip: ",
                    b"POST /api/v1/authentication/auth/ HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Type: application/json\\r\\nContent-Length: 9000\\r\\n\\r\\n"]:
                connection = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname="localhost")
                started = time.monotonic()
                try:
                    connection.sendall(head)
                    while time.monotonic() - started < 90:
                        connection.sendall(b"x")
                        time.sleep(0.05)
                except OSError: pass
                print("cut after", round(time.monotonic() - started, 1), flush=True)
            """
        let finished = try await RunningProgram.run(
            "python3", ["-c", script, "\(vault.server.port)", vault.server.firstLogin.caCertificate])
        let seconds = finished.text.split(separator: "\n").compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
        #expect(seconds.count == 2 && seconds.allSatisfy { $0 < 60 }, "\(finished.text)\(finished.standardError)")
    }

    private static func residentKilobytes(_ server: ServerProcess) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(server.program?.pid ?? 0)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }
}
