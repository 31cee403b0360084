/// Why a request is not granted: the expected answers of every capability. How each looks on the wire is decided at the edge alone.
package enum Refusal: Swift.Error, Sendable, Equatable {
    /// Not known who is asking. The reason is for the audit only.
    case unauthenticated(reason: String)
    /// No credentials came at all.
    case noCredentials
    /// Known, but not allowed.
    case forbidden(Permission)
    /// Not there, or hidden from the one who asks: the two look alike.
    case notFound
    /// There, and not for the one who asks, who gets the answer of `notFound`. The reason is for the audit only.
    case hidden(reason: String)
    /// There is no such operation any more; the text names what to use instead.
    case gone(String)
    /// Several things match; `count` of them are visible to the one who asks.
    case ambiguous(count: Int)
    /// The state of things stands against it.
    case conflict(String)
    /// Fields of the input are wrong: field name to messages.
    case invalid([String: [String]])
    /// The input as a whole cannot be read.
    case malformed(String)
    /// The user must confirm who they are first, by the named way.
    case confirmationRequired(String)
    /// Too many; try again after these seconds.
    case tooMany(retryAfterSeconds: Int)
    /// The vault is sealed.
    case sealed
    /// Cannot be done now; the reason is safe to show.
    case unavailable(String)
    /// Stored data do not authenticate or cannot be opened: fail closed. The detail is for the audit only.
    case integrity(String)
}

extension Refusal {
    /// A wrong value of one field.
    package static func invalid(_ field: String, _ message: String) -> Refusal { .invalid([field: [message]]) }

    /// A stable short code for audit entries and metrics.
    package var code: String {
        switch self {
        case .unauthenticated: "authentication_failed"
        case .noCredentials: "not_authenticated"
        case .forbidden: "permission_denied"
        case .notFound, .hidden: "not_found"
        case .gone: "gone"
        case .ambiguous: "ambiguous"
        case .conflict: "conflict"
        case .invalid: "invalid"
        case .malformed: "malformed"
        case .confirmationRequired: "user_confirm_required"
        case .tooMany: "throttled"
        case .sealed: "sealed"
        case .unavailable: "unavailable"
        case .integrity: "integrity"
        }
    }

    /// The true reason, for the audit.
    package var auditReason: String {
        switch self {
        case .unauthenticated(let reason), .hidden(let reason): reason
        case .forbidden(let permission): "lacks " + permission.rawValue
        case .ambiguous(let count): "ambiguous: \(count)"
        case .gone(let text), .conflict(let text), .malformed(let text), .unavailable(let text): text
        case .invalid(let fields): "invalid: " + fields.keys.sorted().joined(separator: ", ")
        case .integrity(let detail): "integrity: " + detail
        default: code
        }
    }
}
