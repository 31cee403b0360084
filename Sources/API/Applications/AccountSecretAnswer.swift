internal import Cryptography
internal import Domain
internal import HTTPServer
internal import JSON
internal import Vault

/// The answers of a secret fetch, in JumpServer's forms where it has them.
enum AccountSecretAnswer {
    /// `{"id": application, "secret": …}` with what else a client may want to know. Nil when memory ran out.
    static func response(_ revealed: borrowing RevealedSecret, application: ApplicationID, isHidden: Bool) -> Response? {
        var writer = JSONWriter(into: SensitiveBuffer(capacity: 512))
        writer.beginObject()
        writer.field("id", application.description)
        writer.key("secret")
        writeSecret(revealed, isHidden, &writer)
        writer.field("account_id", revealed.account.id.description)
        writer.field("username", revealed.account.username)
        writer.field("asset", revealed.assetName)
        writer.field("secret_type", revealed.account.secretType.rawValue)
        writer.field("version", revealed.version)
        writer.field("date_changed", revealed.dateChanged.map { WireDate.format($0) })
        writer.endObject()
        guard writer.sink.isComplete else { return nil }
        return Response(body: .sensitive(writer.sink))
    }

    private static func writeSecret(
        _ revealed: borrowing RevealedSecret, _ isHidden: Bool, _ writer: inout JSONWriter<SensitiveBuffer>
    ) {
        // A site may forbid that anything is shown; JumpServer answers null then.
        switch revealed.secret {
        case .some(let secret) where !isHidden: secret.withBytes { writer.string(utf8: $0) }
        default: writer.null()
        }
    }

    /// Every failure to authenticate looks the same; not found keeps JumpServer's 400 unless a setting makes it 404.
    static func problem(_ refusal: Refusal, _ settings: LiveSettings, _ id: HTTPServer.RequestID) -> Response {
        switch refusal {
        case .unauthenticated:
            return Problem.body(401, "authentication_failed", "Invalid signature.", id, [challenge])
        case .noCredentials:
            return Problem.body(401, "not_authenticated", "Authentication credentials were not provided.", id, [challenge])
        case .notFound:
            return Problem.body(settings.answersNotFoundWith404 ? 404 : 400, "Not found", "Account not found", id)
        case .invalid(let fields):
            return fieldErrors(fields)
        default:
            return Problem.response(refusal, id: id)
        }
    }

    static let auditFailed: Response = {
        var writer = JSONWriter()
        writer.object {
            $0.field("detail", "The audit log cannot be written.")
            $0.field("code", "unavailable")
        }
        return Response(status: 503, headers: [.init("Retry-After", "5")], body: .bytes(writer.bytes))
    }()

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
