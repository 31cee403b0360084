/// How much of a server's time and words a connection takes.
package struct PostgresLimits: Sendable, Hashable {
    /// How long the login may take, and each statement.
    package var step: Duration
    /// How many bytes one answer may have, and all that comes before the login is done.
    package var answerBytes: Int64
    package var rows: Int

    package init(step: Duration = .seconds(30), answerBytes: Int64 = 1 << 20, rows: Int = 10_000) {
        self.step = step
        self.answerBytes = answerBytes
        self.rows = rows
    }
}
