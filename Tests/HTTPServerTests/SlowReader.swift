import Foundation

/// A TLS client that asks for much at once and reads when it is told to.
final class SlowReader {
    private let process = Process()
    private let commands = Pipe()
    private let answers = Pipe()

    /// For each line of input, a count to wait for: the count of heads, once so many have come, or none for a minute, and then none for
    /// a while.
    private static let program = """
        import socket, ssl, sys
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 262144)
        plain.connect(("127.0.0.1", int(sys.argv[1])))
        context = ssl._create_unverified_context()
        client = context.wrap_socket(plain)
        client.sendall(b"GET %s HTTP/1.1\\r\\nHost: t\\r\\n\\r\\n" % sys.argv[3].encode() * int(sys.argv[2]))
        seen = b""
        for line in sys.stdin:
            try:
                while True:
                    client.settimeout(60 if seen.count(b"HTTP/1.1 200") < int(line) else 1)
                    if not (part := client.recv(65536)): break
                    seen += part
            except TimeoutError: pass
            print(seen.count(b"HTTP/1.1 200"), flush=True)
        """

    init(port: UInt16, requests: Int, target: String) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", Self.program, "\(port)", "\(requests)", target]
        process.standardInput = commands
        process.standardOutput = answers
        try process.run()
    }

    deinit {
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
    }

    /// Ends it without a word; true of its socket too, where something was not read.
    func kill() {
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Reads what comes, so many answers in all and what there may be beyond; how many have begun in all.
    func readAll(_ count: Int) throws -> Int {
        try commands.fileHandleForWriting.write(contentsOf: Data("\(count)\n".utf8))
        var text = ""
        while text.last != "\n" {
            let part = answers.fileHandleForReading.availableData
            if part.isEmpty { break }
            text += String(decoding: part, as: UTF8.self)
        }
        return Int(text.dropLast()) ?? -1
    }
}
