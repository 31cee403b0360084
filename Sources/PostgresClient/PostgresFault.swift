/// Why a server of PostgreSQL did not do what was asked.
package struct PostgresFault: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// The name, the port or a value cannot be put to a server at all.
        case badInput
        /// No connection was made.
        case unreachable
        /// The server has no TLS, or its certificate does not prove who it is, or it asked for the password in a way that would
        /// show it to whoever listens.
        case noSafeChannel
        /// It let the client in without asking for the password, where only the password proves anything.
        case notAsked
        /// It refused the login or a statement, with this SQLSTATE. After that the statement has had no effect, unless `isFatal`.
        case refused(sqlState: String, isFatal: Bool)
        /// What it said makes no sense, or is far too much.
        case brokenProtocol
        case timedOut
        /// The connection ended in the middle.
        case cut
    }

    package let kind: Kind
    /// The words of the server or of libpq, as they came: they may echo anything that was sent.
    package let words: String

    package init(_ kind: Kind, _ words: String = "") {
        self.kind = kind
        self.words = words
    }

    /// The server's SQLSTATE, where it refused.
    package var sqlState: String? {
        if case .refused(let sqlState, _) = kind { sqlState } else { nil }
    }
}
