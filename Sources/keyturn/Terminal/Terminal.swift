internal import Client
internal import Cryptography
internal import Glibc
internal import JSON
internal import Outbound

/// Standard output and error.
enum Terminal {
    static var isOutputForPeople: Bool { isatty(STDOUT_FILENO) == 1 }
    static var isInputForPeople: Bool { isatty(STDIN_FILENO) == 1 }

    /// A line on standard output.
    static func say(_ text: String) {
        write(Array((text + "\n").utf8), to: STDOUT_FILENO)
    }

    /// A line on standard error.
    static func complain(_ text: String, prefix: String = "keyturn: ") {
        write(Array((prefix + text + "\n").utf8), to: STDERR_FILENO)
    }

    /// A value as the server wrote it, on a line.
    static func say(json value: JSONValue) {
        value.withRawText { write($0, to: STDOUT_FILENO) }
        write([10], to: STDOUT_FILENO)
    }

    static func say(array values: [JSONValue]) {
        var writer = JSONWriter()
        writer.array { for value in values { $0.value(value) } }
        write(writer.bytes + [10], to: STDOUT_FILENO)
    }

    /// An object that may hold a secret, on a line.
    static func say(object members: (inout JSONWriter<WipedBuffer>) -> Void) {
        var writer = JSONWriter(into: WipedBuffer())
        writer.object(members)
        writer.sink.append(10)
        writer.sink.take().withBytes { write($0, to: STDOUT_FILENO) }
    }

    /// The bytes of a secret as they are; people get a line break after it.
    static func say(secret bytes: UnsafeRawBufferPointer) {
        write(bytes, to: STDOUT_FILENO)
        if isOutputForPeople { write([10], to: STDOUT_FILENO) }
    }

    /// A line `NAME=value` for a shell or an environment file.
    static func say(variable name: String, _ value: UnsafeRawBufferPointer) {
        write(Array((name + "=").utf8), to: STDOUT_FILENO)
        write(value, to: STDOUT_FILENO)
        write([10], to: STDOUT_FILENO)
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { write($0, to: descriptor) }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
        var written = 0
        while written < bytes.count, let start = bytes.baseAddress {
            let count = Glibc.write(descriptor, start + written, bytes.count - written)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            written += count
        }
    }
}
