/// Why a call brought no result.
public struct ClientError: Swift.Error, Sendable, Equatable {
    /// The kinds of failure that a caller may want to tell apart.
    public enum Reason: Sendable, Equatable {
        /// The endpoint, key or another setting given to this client is not usable.
        case invalidConfiguration
        /// The server does not know who is calling. It says the same for an unknown key, a wrong signature, an address outside
        /// the policy and a clock that is too far off; which of them it was stands in the server's audit only.
        case unauthenticated
        /// Known, but not allowed to do this.
        case forbidden
        /// There is no such thing, or it is hidden from the caller: the two look alike.
        case notFound
        /// Several accounts match; name one by its id.
        case ambiguous
        /// The account has no secret, or the server is set to show none.
        case noSecret
        /// The state of things on the server stands against it.
        case conflict
        /// The server found the request wrong; the detail says where.
        case invalidRequest
        /// The user must give their password again first. Only calls of administrators meet this.
        case confirmationRequired
        /// Too many calls; `retryAfter` is the wait that the server asks for, where it names one.
        case throttled(retryAfter: Duration?)
        /// The server runs, but its vault is sealed: an operator must unseal it.
        case sealed
        /// The server cannot be reached or cannot answer now.
        case unavailable
        /// The server's certificate is not trusted for its name.
        case untrustedServer
        /// No answer came in time.
        case timedOut
        /// The calling task was cancelled.
        case cancelled
        /// The answer is not one that this client understands.
        case unexpectedAnswer
    }

    /// What kind of failure it is.
    public let reason: Reason
    /// A sentence for people; it never holds a secret.
    public let detail: String
    /// The HTTP status, if an answer came.
    public let status: Int?
    /// The server's short code for the refusal, such as `authentication_failed`, if it gave one.
    public let code: String?
    /// The server's id of the request, with which its audit and log can be searched.
    public let requestID: String?

    package init(_ reason: Reason, _ detail: String, status: Int? = nil, code: String? = nil, requestID: String? = nil) {
        self.reason = reason
        self.detail = detail
        self.status = status
        self.code = code
        self.requestID = requestID
    }
}

extension ClientError: CustomStringConvertible {
    /// The detail, with status and request id where there are any.
    public var description: String {
        var marks: [String] = []
        if let status { marks.append("status \(status)") }
        if let requestID { marks.append("request \(requestID)") }
        return marks.isEmpty ? detail : detail + " (" + marks.joined(separator: ", ") + ")"
    }
}
