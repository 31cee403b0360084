internal import Access
internal import Cryptography
internal import Domain
internal import HTTPServer
internal import JSON

/// Logging in, confirming, logging out: `/api/v1/authentication/`.
package enum AuthenticationResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(
                .post, "/api/v1/authentication/auth/", .open, "Log in with user name and password", request: credentials,
                response: token, style: .one(status: 201)
            ) { try await logIn($0, backend) },
            Route(
                .post, "/api/v1/authentication/tokens/", .open, "Log in with user name and password", request: credentials,
                response: token, style: .one(status: 201)
            ) { try await logIn($0, backend) },
            Route(
                .get, "/api/v1/authentication/confirm/", .permission(.ownSession), "Ask how to confirm who one is",
                response: confirmation
            ) { _ in ways() },
            Route(
                .post, "/api/v1/authentication/confirm/", .permission(.ownSession), "Confirm who one is, by password",
                request: confirmationRequest
            ) { try await confirm($0, backend) },
            Route(.delete, "/api/v1/authentication/auth/", .permission(.ownSession), "Log out", style: .empty) {
                try await backend.logins.logOut($0.principal(), from: $0.origin)
                return .empty
            },
        ]
    }

    private static let credentials = Schema(
        "Credentials", [.field("username", .text(max: 128), .required), .field("password", .secret(max: 1024), .required)])
    private static let token = Schema(
        "Token",
        [
            .field("token", .text(max: 64), .readOnly), .field("keyword", .text(max: 16), .readOnly),
            .field("date_expired", .dateTime, .readOnly), .field("user", .anyObject, .readOnly),
        ])
    private static let confirmation = Schema(
        "Confirmation", [.field("confirm_type", .text(max: 16), .readOnly), .field("content", .list(of: []), .readOnly)])
    private static let confirmationRequest = Schema(
        "ConfirmationRequest",
        [.field("confirm_type", .choice(["password"]), .required), .field("secret_key", .secret(max: 1024), .required)])

    private static func logIn(_ call: Call, _ backend: Backend) async throws -> Reply {
        let (username, password) = try call.body { body in
            let username = body.required("username", .text(max: 128, trim: false))
            let password = body.required("password", .secret(max: 1024))
            return try body.finish(username, password)
        }
        let started = try await backend.logins.logIn(
            username: username, password: SecretHandoff(password.secret()), from: call.origin)
        return answer(started)
    }

    private static func answer(_ started: borrowing Logins.Started) -> Reply {
        var writer = JSONWriter(into: SensitiveBuffer(capacity: 512))
        writer.beginObject()
        writer.key("token")
        started.token.withBytes { writer.string(utf8: $0) }
        writer.field("keyword", "Bearer")
        writer.field("date_expired", WireDate.format(started.session.dateExpires))
        writer.object("user") {
            $0.field("id", started.user.id.description)
            $0.field("username", started.user.username)
            $0.field("name", started.user.name)
        }
        writer.endObject()
        return .sensitive(status: 201, writer.sink)
    }

    private static func ways() -> Reply {
        .object {
            $0.field("confirm_type", "password")
            $0.array("content") {
                $0.object {
                    $0.field("name", "password")
                    $0.field("disabled", false)
                    $0.field("display_name", "Password")
                    $0.field("placeholder", "Password")
                }
            }
        }
    }

    private static func confirm(_ call: Call, _ backend: Backend) async throws -> Reply {
        let password = try call.body { body in
            let kind = body.required("confirm_type", .text(max: 16))
            let password = body.required("secret_key", .secret(max: 1024))
            body.ignore("mfa_type")
            let (type, secret) = try body.finish(kind, password)
            guard type == "password" else { throw Refusal.invalid("confirm_type", "\"password\" is the way to confirm here.") }
            return secret
        }
        do {
            try await backend.logins.confirm(call.principal(), password: SecretHandoff(password.secret()), from: call.origin)
        } catch Refusal.invalid(let fields) {
            // One text, as JumpServer's clients read it, and no list of texts.
            guard let words = fields["error"]?.first else { throw Refusal.invalid(fields) }
            return .object(status: 400) { $0.field("error", words) }
        }
        return .json(status: 200, Array(#""ok""#.utf8))
    }
}
