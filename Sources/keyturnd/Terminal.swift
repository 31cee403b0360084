internal import Cryptography
internal import Glibc

/// The operator's terminal: secrets are written from bytes and read without echo.
enum Terminal {
    static func write(_ text: String) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    /// Whether a person types what is read.
    static var isForPeople: Bool { isatty(STDIN_FILENO) == 1 }

    static func write(_ bytes: UnsafeRawBufferPointer) { _ = send(bytes) }

    /// Writes all of it; false if nobody reads it any more.
    static func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = Glibc.write(STDOUT_FILENO, bytes.baseAddress.map { $0 + sent }, bytes.count - sent)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// On standard error: standard output is for results.
    static func ask(_ text: String) {
        var text = text
        text.withUTF8 { ask(UnsafeRawBufferPointer($0)) }
    }

    static func ask(_ bytes: UnsafeRawBufferPointer) {
        _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }

    /// Reads a line from standard input, without echo where it is a terminal; at most 4 KiB, without its line feed.
    static func secret(prompt: String) throws -> Secret {
        let isTerminal = isatty(STDIN_FILENO) == 1
        var saved = termios()
        if isTerminal {
            ask(prompt)
            tcgetattr(STDIN_FILENO, &saved)
            var silent = saved
            silent.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        }
        defer {
            if isTerminal {
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved)
                ask("\n")
            }
        }
        return Secret(capacity: 4096) { buffer in
            var count = 0
            while count < buffer.count {
                let got = read(STDIN_FILENO, buffer.baseAddress.map { $0 + count }, 1)
                if got < 0, errno == EINTR { continue }
                guard got == 1, buffer[count] != 10 else { break }
                count += 1
            }
            return count
        }
    }
}
