internal import JSON
internal import Outbound

// How failures of the transport and answers other than 200 become errors of the client.

extension ClientError {
    init(_ fault: OutboundFault) {
        let reason: Reason =
            switch fault {
            case .invalidRequest: .invalidConfiguration
            case .certificateRejected: .untrustedServer
            case .timedOut: .timedOut
            case .cancelled: .cancelled
            case .responseTooLarge, .refused: .unexpectedAnswer
            case .nameNotResolved, .connectionFailed, .secureConnectionFailed, .interrupted, .unavailable: .unavailable
            }
        self.init(reason, PrintableText.of(fault.description))
    }

    /// From an answer that is not the wanted one.
    init(_ response: HTTPResponse) {
        let problem = Problem(response)
        self.init(
            Self.reason(response, problem.code), problem.detail, status: response.status, code: problem.code,
            requestID: problem.requestID ?? response.header("x-request-id").map(PrintableText.of))
    }

    private static func reason(_ response: HTTPResponse, _ code: String?) -> Reason {
        switch (response.status, code) {
        case (401, _): .unauthenticated
        case (403, _): .forbidden
        // The code with which a 400 means "not found" in the Applications API.
        case (404, _), (400, "Not found"), (400, "not_found"): .notFound
        case (409, "ambiguous"): .ambiguous
        case (409, _): .conflict
        case (412, _): .confirmationRequired
        case (429, _): .throttled(retryAfter: retryAfter(response))
        case (503, "sealed"): .sealed
        case (502...504, _): .unavailable
        case (400..<500, _): .invalidRequest
        default: .unexpectedAnswer
        }
    }

    private static func retryAfter(_ response: HTTPResponse) -> Duration? {
        guard let text = response.header("retry-after"), let seconds = Int64(text), (0...86_400).contains(seconds) else {
            return nil
        }
        return .seconds(seconds)
    }
}

/// The body of a refusal: `{"detail","code","request_id"}`, or names of fields with what is wrong with each.
struct Problem {
    let detail: String
    let code: String?
    let requestID: String?

    init(_ response: HTTPResponse) {
        self = response.body.withBytes { Problem(body: $0, status: response.status) }
    }

    init(body: UnsafeRawBufferPointer, status: Int) {
        let parsed = try? JSONDocument(body).root
        code = parsed?["code"]?.string.map(PrintableText.of)
        requestID = parsed?["request_id"]?.string.map(PrintableText.of)
        let text = parsed.map { Self.text($0, depth: 0) } ?? ""
        detail = text.isEmpty ? "the server answered with status \(status)" : PrintableText.of(text)
    }

    /// Words from a body of any known form: the detail where there is one, else "field: message" pairs.
    private static func text(_ value: JSONValue, depth: Int) -> String {
        guard depth < 6 else { return "" }
        if let text = value.string { return text }
        if let elements = value.array {
            return elements.prefix(10).map { text($0, depth: depth + 1) }.filter { !$0.isEmpty }.joined(separator: " ")
        }
        guard let members = value.object else { return "" }
        if let detail = value["detail"]?.string { return detail }
        return members.prefix(20).compactMap { member in
            guard member.name != "request_id", member.name != "code" else { return nil }
            let words = text(member.value, depth: depth + 1)
            guard !words.isEmpty else { return nil }
            return ["non_field_errors", "error", "msg"].contains(member.name) ? words : "\(member.name): \(words)"
        }.joined(separator: "; ")
    }
}
