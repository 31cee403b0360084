/// Lines for a command that stays, such as a shell, and what it is answered when it asks for more.
package struct SSHTalk: Sendable {
    /// Written first. Never contains a secret.
    package let opening: String
    /// In the order in which they are asked.
    package let steps: [SSHDialogue.Step]
    /// The line that begins with this is the last of the answer: something that nothing else writes.
    package let end: [UInt8]
    package let limit: Duration
    /// Bytes of output and error output together.
    package let outputLimit: Int

    package init(
        _ opening: String, steps: [SSHDialogue.Step] = [], until end: String, limit: Duration = .seconds(30),
        outputLimit: Int = 1 << 20
    ) {
        self.opening = opening
        self.steps = steps
        self.end = Array(end.utf8)
        self.limit = limit
        self.outputLimit = outputLimit
    }
}

/// What came of it.
package struct SSHTalkResult: Sendable, Hashable {
    package let output: [UInt8]
    package let errorOutput: [UInt8]
    /// How many questions were asked and answered, from the first.
    package let answered: Int
    /// The command has ended instead of coming to the last line.
    package let hasEnded: Bool
    /// Whether anything of the opening left, so that the command may have heard it.
    package let wasSent: Bool
    /// Whether the command had answered an earlier talk.
    package private(set) var wasStanding = false

    package init(output: [UInt8], errorOutput: [UInt8] = [], answered: Int, hasEnded: Bool, wasSent: Bool = true) {
        self.wasSent = wasSent
        self.output = output
        self.errorOutput = errorOutput
        self.answered = answered
        self.hasEnded = hasEnded
    }

    func ofStanding() -> SSHTalkResult {
        var result = self
        result.wasStanding = true
        return result
    }
}
