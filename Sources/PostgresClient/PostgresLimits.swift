/// How much of a server's time and words a connection takes.
package struct PostgresLimits: Sendable, Hashable {
    /// How long the login may take, and each statement.
    package var step: Duration
    /// How long everything may take together, from connecting on.
    package var conversation: Duration
    /// How many bytes one answer may have, and all that comes before the login is done.
    package var answerBytes: Int64
    package var rows: Int

    package init(
        step: Duration = .seconds(30), conversation: Duration = .seconds(300), answerBytes: Int64 = 1 << 20, rows: Int = 10_000
    ) {
        self.step = step
        self.conversation = conversation
        self.answerBytes = answerBytes
        self.rows = rows
    }
}
