import TestSupport

/// Bytes over TLS as they are: what no honest client sends.
enum RawTLS {
    struct Answer {
        let status: Int
        let text: String

        func header(_ name: String) -> String? {
            text.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
                .map { String($0.dropFirst(name.count + 1).drop { $0 == " " }) }
        }
    }

    /// Sends the bytes and reads until the server ends the connection.
    static func send(_ bytes: [UInt8], to server: ServerProcess) async throws -> Answer {
        let finished = try await RunningProgram.run(
            "python3", ["-c", script, "\(server.port)", server.firstLogin.caCertificate], input: bytes, limit: .seconds(180))
        guard finished.succeeded else {
            throw ProgramFault.unexpected("the raw client ended with \(finished.ending)", output: finished.standardError)
        }
        let status = finished.text.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) }
        return Answer(status: status ?? 0, text: finished.text)
    }

    /// Sends the bytes, waits a moment, and is gone.
    static func leave(after bytes: [UInt8], to server: ServerProcess) async throws {
        let finished = try await RunningProgram.run(
            "python3", ["-c", script, "\(server.port)", server.firstLogin.caCertificate, "leave"], input: bytes,
            limit: .seconds(180))
        guard finished.succeeded else {
            throw ProgramFault.unexpected("the raw client ended with \(finished.ending)", output: finished.standardError)
        }
    }

    /// A request with its head in lines; the connection ends after it.
    static func request(_ lines: [String], body: [UInt8] = [], to server: ServerProcess) async throws -> Answer {
        let head = (lines + ["Host: localhost", "Connection: close"]).joined(separator: "\r\n") + "\r\n\r\n"
        return try await send(Array(head.utf8) + body, to: server)
    }

    private static let script = """
        import socket, ssl, sys
        context = ssl.create_default_context(cafile=sys.argv[2])
        connection = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname="localhost")
        connection.settimeout(60)
        request, answer = sys.stdin.buffer.read(), b""
        try:
            connection.sendall(request)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError): pass
        if "leave" in sys.argv: connection.settimeout(0.2)
        try:
            while part := connection.recv(65536): answer += part
        except (TimeoutError, ConnectionResetError, ssl.SSLError): pass
        sys.stdout.buffer.write(answer)
        """
}
