import Foundation
import TestSupport
import Testing

@Suite("keyturnd serve")
struct ServeTests {
    @Test("the process cannot be dumped, keeps its files to itself, and ends in order on SIGTERM")
    func hardening() async throws {
        let server = try await ServerProcess.start()
        let pid = try #require(server.program?.pid)
        let limits = try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8)
        let core = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
        #expect(core?.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"])
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        #expect(status.contains("Umask:\t0077"))
        for name in try FileManager.default.contentsOfDirectory(atPath: server.data) {
            let attributes = try FileManager.default.attributesOfItem(atPath: server.data + "/" + name)
            let mode = try #require((attributes[.posixPermissions] as? NSNumber)?.intValue)
            #expect(mode & 0o077 == 0, "\(name)")
        }
        #expect(try await server.stop() == .status(0))
        #expect(!FileManager.default.fileExists(atPath: server.data + "/control.sock"))
    }

    @Test(
        "the process is not dumpable: its files in /proc belong to root",
        .enabled(if: geteuid() == 0 && Products.isReachable, "needs another user who may run the program"))
    func notDumpable() async throws {
        // As root everything there belongs to root anyway; a user who owns the process sees the difference.
        let scratch = try TemporaryDirectory()
        chmod(scratch.path, 0o777)
        let script = """
            cd / && umask 077 && exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -c '
            \(Products.keyturnd) init --data \(scratch.path)/data --yes --json >/dev/null || exit 9
            \(Products.keyturnd) serve --data \(scratch.path)/data --listen 127.0.0.1:0 2>\(scratch.path)/log & pid=$!
            for i in $(seq 600); do grep -q listening \(scratch.path)/log && break; sleep 0.1; done
            stat -c %u /proc/$pid/environ; kill $pid; wait $pid; echo $?'
            """
        let outcome = try await RunningProgram.run("sh", ["-c", script])
        #expect(outcome.text == "0\n0\n", "\(outcome.standardError)")
    }

    @Test("SIGHUP takes a new certificate into use and the log level from the file, without dropping the server")
    func reload() async throws {
        let server = try await ServerProcess.make(configuration: "log: {level: warning}\n")
        try await server.start()
        let program = try #require(server.program)
        let other = try await ServerProcess.make()
        for name in ["server.pem", "server.key"] {
            let target = URL(fileURLWithPath: server.data + "/tls/" + name)
            try Data(contentsOf: URL(fileURLWithPath: other.data + "/tls/" + name)).write(to: target)
        }
        try Data("log: {level: info}\n".utf8).write(to: URL(fileURLWithPath: server.directory.file("keyturn.yaml")))
        program.signal(SIGHUP)
        try await program.waitForOutput("read again")
        let curl = Curl(base: server.url, certificateAuthority: other.firstLogin.caCertificate)
        #expect(try await curl.request("GET", "/readyz").status == 401)

        // What cannot be read leaves in use what was.
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: server.data + "/tls/server.pem"))
        program.signal(SIGHUP)
        try await program.waitForOutput("reading again failed")
        #expect(try await curl.request("GET", "/readyz").status == 401)
        #expect(try await server.stop() == .status(0))
    }

    @Test("health and metrics are open on the plain listener, and behind the login on the main one")
    func healthAndMetrics() async throws {
        let port = try FreePort.any()
        let server = try await ServerProcess.start(configuration: "plain_listen: 127.0.0.1:\(port)\n")
        let plain = Curl(base: "http://127.0.0.1:\(port)")
        #expect(try await plain.request("GET", "/healthz").status == 200)
        #expect(try await plain.request("GET", "/readyz").text == #"{"ready":true,"reasons":[]}"#)
        #expect(try await plain.request("POST", "/readyz").header("allow") == "GET, HEAD")
        #expect(try await plain.request("GET", "/api/v1/orgs/orgs/").status == 404)
        for path in ["/healthz", "/readyz", "/metrics"] {
            #expect(try await server.curl.request("GET", path).status == 401)
        }
        let body = #"{"username":"\#(server.firstLogin.username)","password":"\#(server.firstLogin.password)"}"#
        let login = try await server.curl.request(
            "POST", "/api/v1/authentication/auth/", headers: [("Content-Type", "application/json")], body: Array(body.utf8))
        let answer = try JSONSerialization.jsonObject(with: Data(login.body)) as? [String: Any]
        let token = try #require(answer?["token"] as? String)
        #expect(answer?["keyword"] as? String == "Bearer" && (answer?["date_expired"] as? String)?.contains(" +0000") == true)
        let authorization = [("Authorization", "Bearer " + token)]
        #expect(try await server.curl.request("GET", "/readyz", headers: authorization).status == 200)
        let metrics = try await server.curl.request("GET", "/metrics", headers: authorization)
        #expect(metrics.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
        for name in [
            "keyturn_sealed 0", "keyturn_requests_total{route=\"POST /api/v1/authentication/auth/\",status=\"201\"} 1",
            "keyturn_audit_commit_seconds_count", "keyturn_audit_commit_seconds_bucket{le=\"0.001\"}",
            "keyturn_audit_commit_entries_bucket{le=\"1\"}", "keyturn_fetch_decision_seconds_bucket{le=\"0.0001\"}",
            "keyturn_request_seconds_bucket{", "keyturn_open_connections", "keyturn_malformed_requests_total 0",
            "process_resident_memory_bytes",
            "keyturn_fetches_total{outcome=\"granted\"} 0",
        ] {
            #expect(metrics.text.contains("\n" + name), "\(name)")
        }
        _ = try await server.operate(["seal"])
        let sealed = try await plain.request("GET", "/readyz")
        #expect(sealed.status == 503 && sealed.text.contains("\"sealed\""))
        #expect(try await plain.request("GET", "/metrics").text.contains("\nkeyturn_sealed 1\n"))
    }

    @Test("a second server on the same data directory is kept out")
    func secondServer() async throws {
        let server = try await ServerProcess.start()
        let second = try await RunningProgram.run(Products.keyturnd, ["serve", "--data", server.data, "--listen", "127.0.0.1:0"])
        #expect(second.ending == .status(5))
        #expect(second.standardError.contains("in use"))
    }
}
