import Foundation
import HTTPServer
import Testing

@Suite("TLS", .serialized)
struct TLSTests {
    static let certificates = Result { try Certificates() }

    private static func curl(_ server: SampleServer, _ arguments: String) throws -> String {
        try shell("curl -sk --max-time 120 \(arguments.replacingOccurrences(of: "@", with: "https://127.0.0.1:\(server.port)"))")
    }

    @Test("requests are answered over TLS 1.3, again on the same connection", arguments: Setting.all)
    func answers(_ setting: Setting) async throws {
        let files = try Self.certificates.get().make("one")
        try await blocking {
            let server = try SampleServer(setting.waiting, loops: setting.loops, tls: files)
            let output = try Self.curl(
                server,
                "-w '%{http_code} %{num_connects}\\n' -o /dev/null @/fixed -o /dev/null @/park -o /dev/null @/prepared")
            #expect(output.split(separator: "\n").map { $0.suffix(1) } == ["1", "0", "0"])
            #expect(output.split(separator: "\n").allSatisfy { $0.hasPrefix("200") })
            #expect(try Self.curl(server, "@/prepared") == "prepared")
            #expect(try Self.curl(server, "@/stream").utf8.count == 100_000)
            let clock = ContinuousClock()
            var start = clock.now
            #expect(try Self.curl(server, "@/big").utf8.count == 8 << 20)
            let alone = clock.now - start
            let holding = try shell("curl -sk https://127.0.0.1:\(server.port)/hold >/dev/null & echo started")
            #expect(holding == "started\n" && server.handler.nextHeld() != nil)
            start = clock.now
            #expect(try Self.curl(server, "@/big").utf8.count == 8 << 20)
            // A pause for each record would be no part of what it takes, but many times that.
            #expect(clock.now - start < .seconds(15) + alone * 10)
            #expect(try Self.curl(server, "-d hello @/echo") == "hello")
        }
    }

    @Test("TLS 1.2 has only suites with forward secrecy and authenticated encryption; older versions are refused")
    func versions() async throws {
        let files = try Self.certificates.get().make("two")
        try await blocking {
            let server = try SampleServer(tls: files)
            let connect = "echo | openssl s_client -connect 127.0.0.1:\(server.port) 2>&1"
            #expect(try shell("\(connect) -tls1_3").contains("TLSv1.3, Cipher is TLS_"))
            #expect(try shell("\(connect) -tls1_2").contains("Cipher is ECDHE-ECDSA-"))
            for refused in [
                "-tls1_1 -cipher DEFAULT@SECLEVEL=0", "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256",
                "-tls1_2 -cipher ECDHE-ECDSA-AES256-SHA", "-tls1_2 -cipher AES128-GCM-SHA256",
            ] {
                let output = try shell(connect.replacingOccurrences(of: "2>&1", with: "\(refused) 2>&1"))
                #expect(output.contains("alert") || output.contains("Cipher is (NONE)"), "\(refused)")
            }
        }
    }

    @Test("records of any size arrive whole, many at once and cut anywhere", arguments: [512, 700, 1019, 1020, 1024, 4000])
    func records(_ size: Int) async throws {
        let files = try Self.certificates.get().make("records")
        try await blocking {
            let server = try SampleServer(tls: files)
            let connect = "openssl s_client -quiet -max_send_frag \(size) -connect 127.0.0.1:\(server.port) 2>/dev/null"
            let body = try shell("seq -w 1 10000")
            let head = "POST /echo HTTP/1.1\\r\\nHost: t\\r\\nConnection: close\\r\\nContent-Length: 60000\\r\\n\\r\\n"
            #expect(body.utf8.count == 60_000)
            #expect(try shell("(printf '\(head)'; seq -w 1 10000) | \(connect)").hasSuffix("\r\n\r\n" + body))

            let padding = String(repeating: "p", count: 300)
            let request = "GET /fixed HTTP/1.1\\r\\nHost: t\\r\\nX-Padding: \(padding)\\r\\n"
            let requests =
                "for i in 1 2 3 4 5 6 7; do printf '\(request)\\r\\n'; done; printf '\(request)Connection: close\\r\\n\\r\\n'"
            let output = try shell("(\(requests)) | \(connect)")
            #expect(output.components(separatedBy: "HTTP/1.1 200").count == 9)
        }
    }

    @Test("a short answer is one record, head and body together")
    func oneRecord() async throws {
        let files = try Self.certificates.get().make("one-record")
        try await blocking {
            let server = try SampleServer(tls: files)
            let request = "GET /fixed HTTP/1.1\r\nHost: t\r\n\r\n"
            let client = try RawClient.overTLS(port: server.port, options: ["-msg", "-no_ticket"])
            let body = String(repeating: "a", count: 200)
            var output = ""
            for number in 1...5 {
                client.write(request)
                output = try unwrapped(client.text { $0.components(separatedBy: body).count == number + 1 })
            }
            #expect(output.components(separatedBy: "HTTP/1.1 200").count == 6)
            // Between one answer and the next the client sees the head of one record.
            for between in output.components(separatedBy: "HTTP/1.1 200").dropFirst().dropLast() {
                let heads = between.split(separator: "\n").filter { $0.contains("<<<") && $0.contains("RecordHeader") }
                #expect(heads.count == 1)
            }
        }
    }

    /// What libmicrohttpd refuses before a handler sees it, with the status and our code.
    static let malformed: [(request: String, status: Int, code: String)] = [
        ("GET /fixed HTTP/9.9\\r\\nHost: t\\r\\n\\r\\n", 505, "http_version"),
        ("GET /fixed\\r\\nHost: t\\r\\n\\r\\n", 400, "bad_request"),
        ("GET /fixed HTTP/1.1\\r\\nHost: t\\r\\nno colon\\r\\n\\r\\n", 400, "bad_request"),
        ("POST /echo HTTP/1.1\\r\\nHost: t\\r\\nContent-Length: x\\r\\n\\r\\n", 400, "bad_request"),
        ("POST /echo HTTP/1.1\\r\\nHost: t\\r\\nContent-Length: -1\\r\\n\\r\\n", 400, "bad_request"),
        ("POST /echo HTTP/1.1\\r\\nHost: t\\r\\nContent-Length: 99999999999999999999999\\r\\n\\r\\n", 413, "body_too_large"),
        ("POST /echo HTTP/1.1\\r\\nHost: t\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nzz\\r\\n\\r\\n", 400, "bad_request"),
        (
            "GET /fixed HTTP/1.1\\r\\nHost: t\\r\\nA: \(String(repeating: "a", count: 20_000))\\r\\n\\r\\n", 431,
            "headers_too_large"
        ),
        ("GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\\r\\nHost: t\\r\\n\\r\\n", 414, "target_too_long"),
    ]

    @Test("what the library refuses by itself has the body of every refusal, once, also behind an honest request")
    func malformedRequests() async throws {
        let files = try Self.certificates.get().make("malformed")
        try await blocking {
            let server = try SampleServer(tls: files)
            let honest = "GET /fixed HTTP/1.1\\r\\nHost: t\\r\\n\\r\\n"
            let connect = "openssl s_client -quiet -connect 127.0.0.1:\(server.port) 2>/dev/null"
            for (index, one) in Self.malformed.enumerated() {
                let output = try shell("(printf '\(honest)'; sleep 0.2; printf '\(one.request)'; sleep 0.2) | \(connect)")
                let answers = output.components(separatedBy: "HTTP/1.1 ").dropFirst()
                #expect(answers.count == 2 && answers.first?.hasPrefix("200 OK") == true, "\(one.request.prefix(80)): \(output)")
                let refusal = answers.last ?? ""
                #expect(refusal.hasPrefix("\(one.status) ") && refusal.contains("Connection: close\r\n"), "\(refusal)")
                #expect(refusal.contains("Content-Type: application/json\r\n") && !refusal.contains("<html"), "\(refusal)")
                #expect(
                    refusal.contains("\r\n\r\n{\"detail\":\"") && refusal.contains("\"code\":\"\(one.code)\",\"request_id\":\""))
                #expect(server.eventually { $0.malformed == index + 1 })
            }
            #expect(server.eventually { $0.openConnections == 0 })
        }
    }

    @Test("a session is resumed whichever loop accepts it, and early data is not offered")
    func resumes() async throws {
        let files = try Self.certificates.get().make("three")
        let directory = try Self.certificates.get().directory
        try await blocking {
            let server = try SampleServer(loops: 3, tls: files)
            let connect = "openssl s_client -connect 127.0.0.1:\(server.port) -tls1_3"
            let request = "printf 'GET /fixed HTTP/1.1\\r\\nHost: t\\r\\nConnection: close\\r\\n\\r\\n'; sleep 0.3"
            let first = try shell("(\(request)) | \(connect) -ign_eof -sess_out \(directory)/session 2>&1")
            #expect(first.contains("Max Early Data: 0"))
            for _ in 0..<6 {
                let output = try shell("(\(request)) | \(connect) -ign_eof -sess_in \(directory)/session 2>&1")
                #expect(output.contains("Reused, TLSv1.3"))
            }
        }
    }

    @Test("a new certificate is used by new connections while old ones go on")
    func reloads() async throws {
        let files = try Self.certificates.get().make("before")
        let other = try Self.certificates.get().make("after")
        try await blocking {
            let server = try SampleServer(tls: files)
            let subject = "echo | openssl s_client -connect 127.0.0.1:\(server.port) 2>/dev/null | grep ^subject"
            #expect(try shell(subject).contains("before"))
            let lasting = try RawClient.overTLS(port: server.port)
            lasting.get("/fixed")
            #expect(lasting.read()?.status == 200)
            try FileManager.default.removeItem(atPath: files.key)
            #expect(throws: ListenerError.self) { try server.listener.reloadCertificate() }
            try FileManager.default.copyItem(atPath: other.key, toPath: files.key)
            #expect(throws: ListenerError.self) { try server.listener.reloadCertificate() }
            #expect(try shell(subject).contains("before"))
            try FileManager.default.removeItem(atPath: files.certificate)
            try FileManager.default.copyItem(atPath: other.certificate, toPath: files.certificate)
            try server.listener.reloadCertificate()
            #expect(try shell(subject).contains("after"))
            for _ in 0..<3 {
                lasting.get("/fixed")
                #expect(lasting.read()?.status == 200)
            }
            #expect(server.listener.statistics.acceptedConnections == 4)
        }
    }

    @Test("plain requests, port scans and broken handshakes to the TLS port do no harm")
    func survivesNonsense() async throws {
        let files = try Self.certificates.get().make("four")
        try await blocking {
            let server = try SampleServer(tls: files)
            for round in 0..<30 {
                let client = try server.client()
                switch round % 5 {
                case 0: client.get("/fixed")
                case 1: break
                case 2: client.write([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])
                case 3: client.write([UInt8](repeating: 0xff, count: 3000))
                default:
                    client.write([0x16, 0x03, 0x01])
                    client.resetOnClose()
                }
                if round % 5 == 0 { #expect(client.isEnded()) }
            }
            #expect(server.eventually { $0.openConnections == 0 })
            #expect(try Self.curl(server, "@/park") == "late")
        }
    }

    @Test("clients that are silent in the middle of things cost no processor time")
    func idleCosts() async throws {
        let files = try Self.certificates.get().make("five")
        try await blocking {
            let server = try SampleServer(tls: files)
            let plain = try SampleServer()
            let clientHello = try recordClientHello()
            #expect(clientHello.count > 100)
            var silent: [RawClient] = []
            for index in 0..<12 {
                let first = try server.client()
                if index % 3 == 0 { first.write([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]) }
                if index % 3 == 1 { first.write(clientHello) }
                let second = try plain.client()
                second.write(
                    [
                        "GET /fix", "GET /fixed HTTP/1.1\r\nHost", "GET /hold HTTP/1.1\r\nHost: t\r\n\r\n",
                        "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nab",
                    ][index % 4])
                silent += [first, second]
            }
            for listener in [server.listener, plain.listener] {
                // Once what they sent has been taken up; a loop that turns for nothing never comes to rest.
                let isAtRest = (0..<100).contains { _ in
                    let before = listener.statistics.passes
                    usleep(400_000)
                    return listener.statistics.passes - before < 40
                }
                #expect(isAtRest)
            }
            #expect(silent.count == 24)
        }
    }

    @Test("a missing certificate is named")
    func missingCertificate() {
        let files = ListenerConfiguration.TLSFiles(certificate: "/nonexistent/a.crt", key: "/nonexistent/a.key")
        #expect(throws: ListenerError.self) { try SampleServer(tls: files) }
    }
}

/// The first message of a real client, which the server answers and then waits for the next one.
private func recordClientHello() throws -> [UInt8] {
    let listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listening) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(listening, $0, length) == 0 && listen(listening, 1) == 0 && getsockname(listening, $0, &length) == 0
        }
    }
    #expect(port)
    _ = try shell("(openssl s_client -connect 127.0.0.1:\(UInt16(bigEndian: address.sin_port)) </dev/null >/dev/null 2>&1) & :")
    let accepted = accept(listening, nil, nil)
    defer { close(accepted) }
    var hello = [UInt8](repeating: 0, count: 4096)
    let count = recv(accepted, &hello, hello.count, 0)
    return Array(hello.prefix(max(0, count)))
}
