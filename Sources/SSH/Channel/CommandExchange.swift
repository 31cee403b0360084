/// Feeds a command and gathers what it writes, within its limits.
struct CommandExchange {
    private let channel: any CommandChannel
    private let deadline: Deadline
    private let outputLimit: Int
    private var output: [UInt8] = []
    private var errorOutput: [UInt8] = []
    private var isOutputOpen = true
    private var isErrorOpen = true
    private var buffer = [UInt8](repeating: 0, count: 16 * 1024)

    init(_ channel: any CommandChannel, limit: Deadline, outputLimit: Int) {
        self.channel = channel
        deadline = limit
        self.outputLimit = max(outputLimit, 0)
    }

    /// Runs a command to its end.
    mutating func run(input pieces: [SSHInput]) throws(SSHFault) -> SSHResult {
        var input = InputQueue(pieces)
        var isInputOpen = true
        while true {
            var hasMoved = false
            if isInputOpen {
                (hasMoved, isInputOpen) = try feed(&input)
            }
            if try gather() { hasMoved = true }
            if deadline.hasPassed { throw Self.overdue }
            // A command may end without reading its input, and hosts then close both streams.
            if !isOutputOpen, !isErrorOpen { break }
            if !hasMoved { try pause(writing: isInputOpen && !input.isEmpty) }
        }
        let ending = try channel.finish(deadline)
        return SSHResult(status: ending.status, signal: ending.signal, output: output, errorOutput: errorOutput)
    }

    /// Answers questions, then reads on to the end.
    mutating func converse(
        _ steps: [SSHDialogue.Step], breakingOffAt foreignPrompt: [UInt8]
    ) throws(SSHFault) -> SSHDialogueResult {
        var answered = 0
        var searchFrom = 0
        var input = InputQueue([])
        while isOutputOpen || isErrorOpen {
            var hasMoved = try gather()
            if deadline.hasPassed { throw Self.overdue }
            if !input.isEmpty {
                if try feed(&input).moved { hasMoved = true }
            } else if answered < steps.count, let end = Self.end(of: steps[answered].prompt, in: output, from: searchFrom) {
                input = InputQueue(steps[answered].answer)
                searchFrom = end
                answered += 1
                hasMoved = true
            } else if answered == steps.count, let last = steps.last,
                Self.end(of: last.prompt, in: output, from: searchFrom) != nil
            {
                return SSHDialogueResult(result: result(status: nil), answered: answered, wasAskedAgain: true)
            } else if Self.end(of: foreignPrompt, in: output, from: searchFrom) != nil {
                return SSHDialogueResult(result: result(status: nil), answered: answered, wasAskedAgain: answered > 0)
            }
            if !hasMoved { try pause(writing: !input.isEmpty) }
        }
        let ending = try channel.finish(deadline)
        return SSHDialogueResult(
            result: result(status: ending.status, signal: ending.signal), answered: answered, wasAskedAgain: false)
    }

    /// Writes to a command that stays, answers questions, and reads on until the last line is whole.
    mutating func talk(_ talk: SSHTalk) throws(SSHFault) -> SSHTalkResult {
        var input = InputQueue([.text(talk.opening)])
        var (answered, searchFrom) = (0, 0)
        var lastLine: Int?
        var wasSent = false
        while isOutputOpen || isErrorOpen {
            let seen = output.count
            var hasMoved = try gather()
            // The mark may have come in two pieces.
            if lastLine == nil { lastLine = Self.end(of: talk.end, in: output, from: max(0, seen - talk.end.count)) }
            if let lastLine, output[lastLine...].contains(0x0A) {
                return SSHTalkResult(output: output, errorOutput: errorOutput, answered: answered, hasEnded: false)
            }
            if deadline.hasPassed { throw Self.overdue }
            if !input.isEmpty {
                // One that was ended while nobody talked to it is not told anything.
                let (moved, isOpen) = isOutputOpen ? try feed(&input) : (false, false)
                if moved { hasMoved = true }
                if moved, isOpen { wasSent = true }
                // It reads no more, and has something to say of it.
                if !isOpen { input = InputQueue([]) }
            } else if answered < talk.steps.count {
                if let end = Self.end(of: talk.steps[answered].prompt, in: output, from: searchFrom) {
                    input = InputQueue(talk.steps[answered].answer)
                    searchFrom = end
                    answered += 1
                    hasMoved = true
                }
            }
            if !hasMoved { try pause(writing: !input.isEmpty) }
        }
        // A connection that is gone says so here.
        _ = try channel.finish(deadline)
        return SSHTalkResult(output: output, errorOutput: errorOutput, answered: answered, hasEnded: true, wasSent: wasSent)
    }

    private static var overdue: SSHFault { SSHFault(.timedOut, words: "the command did not end in time") }

    private func result(status: Int32?, signal: String? = nil) -> SSHResult {
        SSHResult(status: status, signal: signal, output: output, errorOutput: errorOutput)
    }

    private func pause(writing: Bool) throws(SSHFault) {
        if deadline.hasPassed { throw Self.overdue }
        try channel.wait(writing: writing, deadline)
    }

    /// Whether something was taken, and whether the input is still open afterwards.
    private func feed(_ input: inout InputQueue) throws(SSHFault) -> (moved: Bool, isOpen: Bool) {
        guard !input.isEmpty else {
            let isClosed = try channel.closeInput()
            return (isClosed, !isClosed)
        }
        let taken = try input.offer { (bytes) throws(SSHFault) in try channel.write(bytes) }
        guard let taken else { return (true, false) }
        return (taken > 0, true)
    }

    /// Reads what has come; whether there was something.
    private mutating func gather() throws(SSHFault) -> Bool {
        var hasMoved = false
        if isOutputOpen { hasMoved = try gather(.output) }
        if isErrorOpen, try gather(.error) { hasMoved = true }
        guard output.count + errorOutput.count <= outputLimit else {
            throw SSHFault(.tooMuchOutput, words: "the command wrote more than \(outputLimit) bytes")
        }
        return hasMoved
    }

    private mutating func gather(_ stream: CommandStream) throws(SSHFault) -> Bool {
        let channel = self.channel
        let outcome = buffer.withUnsafeMutableBytes { bytes in
            do throws(SSHFault) {
                return Swift.Result<Int?, SSHFault>.success(try channel.read(stream, into: bytes))
            } catch {
                return .failure(error)
            }
        }
        let count = try outcome.get()
        switch (stream, count) {
        case (.output, nil): isOutputOpen = false
        case (.error, nil): isErrorOpen = false
        case (.output, let count?): output += buffer[..<count]
        case (.error, let count?): errorOutput += buffer[..<count]
        }
        return count != 0
    }

    /// Where the first occurrence from `start` on ends.
    static func end(of prompt: [UInt8], in text: [UInt8], from start: Int) -> Int? {
        guard !prompt.isEmpty, text.count >= start, text.count - start >= prompt.count else { return nil }
        for place in start...(text.count - prompt.count) where text[place] == prompt[0] {
            if text[place..<place + prompt.count].elementsEqual(prompt) { return place + prompt.count }
        }
        return nil
    }
}
