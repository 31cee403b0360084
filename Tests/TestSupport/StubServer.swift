internal import Foundation

/// A small HTTP server in a process of its own, whose behaviour a test writes in Python; it ends with its last owner or the tests.
///
/// The source defines `class Handler(StubHandler)`, a `BaseHTTPRequestHandler` whose `reply(status, body, headers)` answers in one go.
package final class StubServer: Sendable {
    package struct NotStarted: Swift.Error {
        package let text: String
    }

    package let port: Int
    /// `https://localhost:<port>`, or with `http` where it was started without TLS.
    package let endpoint: String
    /// A PEM file with the authority of its certificate.
    package let certificateAuthority: String
    private let directory: TemporaryDirectory
    private let process: Process
    /// When this end closes, however that comes, the server ends.
    private let lifeline = Pipe()

    package init(handler: String, isSecure: Bool = true) throws {
        directory = try TemporaryDirectory()
        certificateAuthority = directory.path + "/certificate.pem"
        let key = directory.path + "/key.pem"
        let made = try ExternalProgram.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=stub",
                "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificateAuthority,
            ])
        guard made.status == 0 else { throw NotStarted(text: made.standardError) }
        let script = try directory.write(Self.prologue + handler + Self.epilogue, to: "stub.py")
        let output = Pipe()
        process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-u", script] + (isSecure ? [certificateAuthority, key] : [])
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = lifeline
        try process.run()
        let announcement = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(announcement.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw NotStarted(text: "the stub said '\(announcement)'")
        }
        self.port = port
        endpoint = "\(isSecure ? "https" : "http")://localhost:\(port)"
    }

    // A signal would not do: the process inherits the test runner's mask, which blocks it.
    deinit { try? lifeline.fileHandleForWriting.close() }

    private static let prologue = """
        import base64, hashlib, hmac, json, os, socket, ssl, sys, threading, time
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        class StubHandler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *ignored): pass
            def reply(self, status, body=b"", headers={}):
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items(): self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD": self.wfile.write(body)
            def body(self):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        """

    private static let epilogue = """


        class Server(ThreadingHTTPServer):
            daemon_threads = True
            def handle_error(self, *ignored): pass

        server = Server(("localhost", 0), Handler)
        if len(sys.argv) > 2:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sys.argv[1], sys.argv[2])
            server.socket = context.wrap_socket(server.socket, server_side=True)
        print(server.server_address[1], flush=True)
        def watch():
            sys.stdin.read()
            os._exit(0)
        threading.Thread(target=watch, daemon=True).start()
        server.serve_forever()
        """
}
