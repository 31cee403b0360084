package import Domain
package import HTTPServer
internal import JSON

/// Refusals on the wire: the only place that knows status codes.
package enum Problem {
    /// The answer to a refused or failed request.
    package static func response(_ error: any Error, id: HTTPServer.RequestID) -> Response {
        guard let refusal = error as? Refusal else { return unexpected(id: id) }
        return response(refusal, id: id)
    }

    package static func response(_ refusal: Refusal, id: HTTPServer.RequestID) -> Response {
        switch refusal {
        case .unauthenticated:
            body(401, "authentication_failed", "Incorrect authentication credentials.", id)
        case .noCredentials:
            body(
                401, "not_authenticated", "Authentication credentials were not provided.", id,
                [.init("WWW-Authenticate", "Bearer")])
        case .forbidden:
            body(403, "permission_denied", "You do not have permission to perform this action.", id)
        case .notFound, .hidden:
            body(404, "not_found", "Not found.", id)
        case .gone(let text):
            body(410, "gone", text, id)
        case .ambiguous(let count):
            body(409, "ambiguous", "\(count) accounts match; name one by its id.", id)
        case .conflict(let text):
            body(409, "conflict", text, id)
        case .invalid(let fields):
            fieldErrors(fields)
        case .malformed(let text):
            body(400, "malformed", text, id)
        case .confirmationRequired(let way):
            confirmation(way, id)
        case .tooMany(let seconds):
            body(
                429, "throttled", "Request was throttled. Expected available in \(seconds) seconds.", id,
                [.init("Retry-After", "\(max(1, seconds))")])
        case .sealed:
            body(503, "sealed", "The vault is sealed.", id, [.init("Retry-After", "30")])
        case .unavailable(let text):
            body(503, "unavailable", text, id, [.init("Retry-After", "5")])
        case .integrity:
            body(500, "integrity", "Stored data are damaged; nothing was revealed.", id)
        }
    }

    /// Something that nobody foresaw: said without details, which are in the log under the request id.
    package static func unexpected(id: HTTPServer.RequestID) -> Response {
        body(500, "internal", "Internal error.", id)
    }

    package static func body(
        _ status: Int, _ code: String, _ detail: String, _ id: HTTPServer.RequestID, _ headers: [Response.Header] = []
    ) -> Response {
        var writer = JSONWriter()
        writer.object {
            $0.field("detail", detail)
            $0.field("code", code)
            $0.field("request_id", id.description)
        }
        return Response(status: status, headers: headers, body: .bytes(writer.bytes))
    }

    /// JumpServer's form of wrong fields: field name to messages.
    private static func fieldErrors(_ fields: [String: [String]]) -> Response {
        var writer = JSONWriter()
        writer.object {
            for name in fields.keys.sorted() { $0.field(name, fields[name] ?? []) }
        }
        return Response(status: 400, body: .bytes(writer.bytes))
    }

    /// JumpServer's answer to a reveal by somebody who has not confirmed lately (its status is 412).
    private static func confirmation(_ way: String, _ id: HTTPServer.RequestID) -> Response {
        var writer = JSONWriter()
        writer.object {
            $0.field("type", "user_confirm_required")
            $0.field("code", way)
            $0.field("detail", "This action require confirm current user")
            $0.field("request_id", id.description)
        }
        return Response(status: 412, body: .bytes(writer.bytes))
    }
}
