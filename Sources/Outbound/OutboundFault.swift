/// Why no answer came from the other side; an answer of any status is none of these.
package enum OutboundFault: Swift.Error, Sendable, Equatable {
    /// The request cannot be sent as it is: a bad URL, a header with a line break.
    case invalidRequest(String)
    case nameNotResolved(String)
    case connectionFailed(String)
    /// The server's certificate is not one that we trust for this name.
    case certificateRejected(String)
    /// The two sides found no common TLS.
    case secureConnectionFailed(String)
    case timedOut
    case cancelled
    /// The answer is longer than the request allows.
    case responseTooLarge(limit: Int)
    /// The connection broke after it was made.
    case interrupted(String)
    /// A mail server's own no, with its code (RFC 5321, 4.2) and its words.
    case refused(code: Int, String)
    /// The library cannot do it here.
    case unavailable(String)
}

extension OutboundFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidRequest(let detail): "the request cannot be sent: \(detail)"
        case .nameNotResolved(let detail): "the host name is not known: \(detail)"
        case .connectionFailed(let detail): "no connection: \(detail)"
        case .certificateRejected(let detail): "the server's certificate is not trusted: \(detail)"
        case .secureConnectionFailed(let detail): "no secure connection: \(detail)"
        case .timedOut: "no answer in time"
        case .cancelled: "cancelled"
        case .responseTooLarge(let limit): "the answer is longer than \(limit) bytes"
        case .interrupted(let detail): "the connection broke: \(detail)"
        case .refused(_, let words): "the server refused: \(words)"
        case .unavailable(let detail): "the client library failed: \(detail)"
        }
    }
}
