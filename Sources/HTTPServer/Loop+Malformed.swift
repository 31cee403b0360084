import CHTTPShim

/// Requests that libmicrohttpd refuses before any handler sees them: a head beyond its memory, a line without a colon, an unknown
/// version, a length or a chunk that is no number.
extension Loop {
    /// Writes what takes the place of the library's page, so that these refusals have the body that all others have. The library
    /// ends the connection.
    func answerMalformed(_ handle: OpaquePointer, status: Int) {
        guard let context = khttp_connection_context(handle) else { return }
        let connection = Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
        counters.malformed.count()
        counters.requests.count()
        counters.answers.count()
        let response = Self.refusal(status, id: connection.exchange?.requestID ?? requestIDs.next())
        connection.endsEarly = write(response, on: connection)
        if !connection.endsEarly { connection.cut() }
    }

    private static func refusal(_ status: Int, id: RequestID) -> Response {
        let closing = [Response.Header("Connection", "close")]
        return switch status {
        case 413: .problem(413, code: "body_too_large", detail: "the request body is too large", id: id, headers: closing)
        case 414: .problem(414, code: "target_too_long", detail: "the request target is too long", id: id, headers: closing)
        case 431:
            .problem(431, code: "headers_too_large", detail: "the head of the request is too large", id: id, headers: closing)
        case 505: .problem(505, code: "http_version", detail: "this version of HTTP is not spoken here", id: id, headers: closing)
        case 400..<500: .problem(status, code: "bad_request", detail: "the request is malformed", id: id, headers: closing)
        default: .problem(status, code: "internal_error", detail: "the request cannot be served", id: id, headers: closing)
        }
    }
}
