import Foundation

/// A TLS client that sends all that it has, and reads only then.
enum LateReader {
    /// What stands behind the head, 64 KiB at a time.
    enum Piece: String, Sendable { case plain, chunk }

    private static let program = """
        import socket, ssl, sys
        client = ssl._create_unverified_context().wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
        piece = b"x" * 65536
        if sys.argv[3] == "chunk": piece = b"10000\\r\\n" + piece + b"\\r\\n"
        seen = b""
        try:
            client.sendall(sys.argv[2].encode())
            for _ in range(int(sys.argv[4])): client.sendall(piece)
            while part := client.recv(65536): seen += part
            print("ended")
        except OSError as error: print(type(error).__name__)
        print(seen.decode())
        """

    /// How the connection ended, `ended` or the name of an error, and on the next line what was read.
    static func run(port: UInt16, head: String, _ piece: Piece, count: Int) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-c", program, "\(port)", head, piece.rawValue, "\(count)"]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }
}
