internal import Cryptography
internal import Domain
internal import HTTPServer
internal import JSON
internal import Vault

/// The answers of a secret fetch, in JumpServer's forms where it has them.
enum AccountSecretAnswer {
    /// `{"id": application, "secret": …}` with what else a client may want to know. Nil when memory ran out.
    static func response(_ revealed: borrowing RevealedSecret, application: ApplicationID, isHidden: Bool) -> Response? {
        let room = 64 + BoundedBytes.escapedByteCount * revealed.secretByteCount + revealed.found.answerTail.count
        let buffer = SensitiveBuffer(capacity: room)
        var isWhole = false
        buffer.append(upTo: room) { memory in
            var answer = BoundedBytes(memory)
            write(revealed, application, isHidden, &answer)
            isWhole = answer.isWhole
            return answer.count
        }
        return isWhole && buffer.isComplete ? Response(body: .sensitive(buffer)) : nil
    }

    private static func write(
        _ revealed: borrowing RevealedSecret, _ application: ApplicationID, _ isHidden: Bool, _ answer: inout BoundedBytes
    ) {
        answer.append("{\"id\":\"" as StaticString)
        answer.append(application)
        answer.append("\",\"secret\":" as StaticString)
        // A site may forbid that anything is shown; JumpServer answers null then.
        switch revealed.secret {
        case .some(let secret) where !isHidden:
            answer.append("\"" as StaticString)
            secret.withBytes { answer.append(escaping: $0) }
            answer.append("\"" as StaticString)
        default:
            answer.append("null" as StaticString)
        }
        answer.append("," as StaticString)
        revealed.found.answerTail.withUnsafeBytes { answer.append(raw: $0) }
    }

    /// Every failure to authenticate looks the same; not found keeps JumpServer's 400 unless a setting makes it 404.
    static func problem(_ refusal: Refusal, _ settings: LiveSettings, _ id: HTTPServer.RequestID) -> Response {
        switch refusal {
        case .unauthenticated:
            return Problem.body(401, "authentication_failed", "Invalid signature.", id, [challenge])
        case .noCredentials:
            return Problem.body(401, "not_authenticated", "Authentication credentials were not provided.", id, [challenge])
        case .notFound, .hidden:
            return Problem.body(settings.answersNotFoundWith404 ? 404 : 400, "Not found", "Account not found", id)
        case .invalid(let fields):
            return fieldErrors(fields)
        default:
            return Problem.response(refusal, id: id)
        }
    }

    static func auditFailed(_ id: HTTPServer.RequestID) -> Response {
        Problem.response(.unavailable("The audit log cannot be written."), id: id)
    }

    private static let challenge = Response.Header("WWW-Authenticate", #"Signature realm="api",headers="(request-target) date""#)

    /// JumpServer wraps the field errors of this one route in `error`.
    private static func fieldErrors(_ fields: [String: [String]]) -> Response {
        var writer = JSONWriter()
        writer.object {
            $0.object("error") { for name in fields.keys.sorted() { $0.field(name, fields[name] ?? []) } }
        }
        return Response(status: 400, body: .bytes(writer.bytes))
    }
}

extension SensitiveBuffer: JSONSink {}
