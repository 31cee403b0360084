/// A command for the login shell of the account, what it reads and how much it may do.
package struct SSHCommand: Sendable {
    /// Is seen by everybody on the host: never contains a secret.
    package let line: String
    package let input: [SSHInput]
    package let limit: Duration
    /// Bytes of output and error output together.
    package let outputLimit: Int

    package init(_ line: String, input: [SSHInput] = [], limit: Duration = .seconds(30), outputLimit: Int = 1 << 20) {
        self.line = line
        self.input = input
        self.limit = limit
        self.outputLimit = outputLimit
    }
}

/// A piece of what is written to a command.
package enum SSHInput: Sendable {
    case bytes([UInt8])
    case secret(SSHSecret)

    package static func text(_ text: String) -> SSHInput { .bytes(Array(text.utf8)) }

    var count: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .secret(let secret): secret.count
        }
    }

    func withBytes<Output, Failure: Swift.Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Output
    ) throws(Failure) -> Output {
        switch self {
        case .bytes(let bytes):
            let outcome = bytes.withUnsafeBytes { buffer in
                do throws(Failure) {
                    return Swift.Result<Output, Failure>.success(try body(buffer))
                } catch {
                    return .failure(error)
                }
            }
            return try outcome.get()
        case .secret(let secret): return try secret.withBytes(body)
        }
    }
}

/// How a command ended and what it wrote.
package struct SSHResult: Sendable, Hashable {
    /// Nil if it was ended by a signal. Where a server tells no status at all, libssh2 says 0: what matters is to be proved by other
    /// means than a status.
    package let status: Int32?
    /// The signal's name without `SIG`, where the server tells it.
    package let signal: String?
    package let output: [UInt8]
    package let errorOutput: [UInt8]

    package init(status: Int32?, signal: String? = nil, output: [UInt8] = [], errorOutput: [UInt8] = []) {
        self.status = status
        self.signal = signal
        self.output = output
        self.errorOutput = errorOutput
    }
}

/// A command on a terminal that asks and is answered: `sudo`, `su`, `passwd`. The terminal does not echo.
package struct SSHDialogue: Sendable {
    /// One question and its answer.
    package struct Step: Sendable {
        /// Bytes of the output after which the answer is sent: a prompt that nothing else writes.
        package let prompt: [UInt8]
        /// With its line end: `[.secret(…), .text("\n")]`.
        package let answer: [SSHInput]

        package init(prompt: String, answer: [SSHInput]) {
            self.prompt = Array(prompt.utf8)
            self.answer = answer
        }
    }

    /// Is seen by everybody on the host: never contains a secret.
    package let line: String
    /// In the order in which they are asked.
    package let steps: [Step]
    /// Bytes of the output at which the dialogue is broken off: the end of a question that is none of the steps, or of one that comes again.
    package let foreignPrompt: [UInt8]
    package let limit: Duration
    package let outputLimit: Int

    package init(
        _ line: String, steps: [Step], breakingOffAt foreignPrompt: String = "", limit: Duration = .seconds(30),
        outputLimit: Int = 1 << 20
    ) {
        self.line = line
        self.steps = steps
        self.foreignPrompt = Array(foreignPrompt.utf8)
        self.limit = limit
        self.outputLimit = outputLimit
    }
}

/// How a dialogue went.
package struct SSHDialogueResult: Sendable, Hashable {
    /// A terminal has one stream: all is in `output`.
    package let result: SSHResult
    /// How many questions were asked and answered, from the first; the command may end without asking.
    package let answered: Int
    /// After an answer the question came again, or another that is not answered: the dialogue was broken off there.
    package let wasAskedAgain: Bool

    package init(result: SSHResult, answered: Int, wasAskedAgain: Bool) {
        self.result = result
        self.answered = answered
        self.wasAskedAgain = wasAskedAgain
    }
}
