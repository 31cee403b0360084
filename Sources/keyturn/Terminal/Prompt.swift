internal import Cryptography
internal import Glibc

/// Asks for secrets and consent. A secret is read without echo from a terminal, or as it is from a pipe or file.
enum Prompt {
    private static let limit = 1 << 20

    /// A password or the like; `lineBreak` says whether one line break at the end of piped input belongs to it.
    static func secret(_ question: String, keepsLineBreak: Bool = false) throws -> Secret {
        let secret = Terminal.isInputForPeople ? try readHidden(question) : try readInput(keepsLineBreak)
        guard !secret.isEmpty else { throw Failure("an empty secret was given", status: .usage) }
        return secret
    }

    /// The same from the terminal, whatever standard input is.
    static func hidden(_ question: String) throws -> Secret {
        let secret = try readHidden(question)
        guard !secret.isEmpty else { throw Failure("an empty secret was given", status: .usage) }
        return secret
    }

    /// Asks yes or no; without somebody to ask, the answer is an error.
    static func confirm(_ question: String, isGiven: Bool) throws {
        guard !isGiven else { return }
        guard Terminal.isInputForPeople else { throw Failure("\(question) Say so with --yes.", status: .usage) }
        Terminal.complain(question + " [y/N] ", prefix: "")
        guard let answer = readLine(), ["y", "yes"].contains(answer.lowercased()) else { throw Failure("nothing was done") }
    }

    private static func readInput(_ keepsLineBreak: Bool) throws -> Secret {
        try Secret(capacity: limit) { buffer throws(Failure) in
            var count = 0
            while count < buffer.count, let start = buffer.baseAddress {
                let got = read(STDIN_FILENO, start + count, buffer.count - count)
                if got < 0 && errno == EINTR { continue }
                guard got >= 0 else { throw Failure("standard input cannot be read") }
                if got == 0 { break }
                count += got
            }
            guard count < buffer.count else { throw Failure("standard input is too long for a secret") }
            if !keepsLineBreak, count > 0, buffer[count - 1] == 10 {
                count -= count > 1 && buffer[count - 2] == 13 ? 2 : 1
            }
            return count
        }
    }

    private static func readHidden(_ question: String) throws -> Secret {
        let terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { throw Failure("there is no terminal to ask on; give the secret on standard input") }
        defer { close(terminal) }
        var before = termios()
        guard tcgetattr(terminal, &before) == 0 else { throw Failure("the terminal cannot be asked") }
        var hidden = before
        // Without signals too, so that an interrupt cannot leave the terminal without echo.
        hidden.c_lflag &= ~tcflag_t(ECHO | ISIG)
        guard tcsetattr(terminal, TCSAFLUSH, &hidden) == 0 else { throw Failure("the terminal cannot be asked") }
        defer { tcsetattr(terminal, TCSAFLUSH, &before) }
        let text = Array((question + ": ").utf8)
        _ = write(terminal, text, text.count)
        defer { _ = write(terminal, "\n", 1) }
        return try Secret(capacity: 4096) { buffer throws(Failure) in
            var count = 0
            while count < buffer.count, let start = buffer.baseAddress {
                let got = read(terminal, start + count, 1)
                guard got == 1 || (got < 0 && errno == EINTR) else { throw Failure("nothing was entered") }
                guard got == 1 else { continue }
                // Control-C and its like arrive as characters here.
                if buffer[count] == 3 || buffer[count] == 28 { throw Failure("interrupted") }
                if buffer[count] == 10 || buffer[count] == 13 { return count }
                count += 1
            }
            throw Failure("that is too long for a line; give it on standard input")
        }
    }
}
