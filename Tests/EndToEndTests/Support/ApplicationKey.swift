import Cryptography
import Foundation
import Outbound
import TestSupport

/// The two halves of an application's key, and the requests that they sign.
struct ApplicationKey: Sendable {
    let id: String
    let secret: String

    static let organization = "00000000-0000-0000-0000-000000000002"
    static let route = "/api/v1/accounts/integration-applications/account-secret/"
    static let target = route + "?asset=db1&account=root"

    /// How a request is signed; the defaults are those of our own client.
    struct Form: Sendable {
        var signed = ["(request-target)", "accept", "date", "x-jms-org"]
        var date: String?
        /// Nil: no such header is sent.
        var organization: String? = ApplicationKey.organization
        var algorithm = "hmac-sha256"
        /// The order of the parameters of the authorization.
        var order = ["keyId", "algorithm", "headers", "signature"]
        /// Names of further headers, and their values; not signed.
        var more: [(String, String)] = []
    }

    /// All headers of a signed GET of the target.
    func headers(_ target: String = Self.target, _ form: Form = Form()) throws -> [(String, String)] {
        let date = form.date ?? Self.date()
        let values = [
            "(request-target)": "get " + target, "accept": "application/json", "date": date,
            "x-jms-org": form.organization ?? "",
        ]
        let text = form.signed.map { "\($0): \(values[$0] ?? "")" }.joined(separator: "\n")
        var bytes = Array(secret.utf8)
        let code = try HMACSHA256.authenticate(Array(text.utf8), key: Secret(moving: &bytes))
        let parts = [
            "keyId": id, "algorithm": form.algorithm, "headers": form.signed.joined(separator: " "),
            "signature": Data(code).base64EncodedString(),
        ]
        let authorization = "Signature " + form.order.map { "\($0)=\"\(parts[$0] ?? "")\"" }.joined(separator: ",")
        var headers = [("Accept", "application/json"), ("Date", date), ("X-Source", "jms-pam"), ("Authorization", authorization)]
        if let organization = form.organization { headers.append(("X-JMS-ORG", organization)) }
        return headers + form.more
    }

    /// Signs and sends over the connection.
    func fetch(
        over connection: APIConnection, _ target: String = Self.target, _ form: Form = Form()
    ) async throws -> APIConnection.Answer {
        try await connection.send(.get, target, headers: headers(target, form))
    }

    static func target(asset: String, account: String) -> String { route + "?asset=\(asset)&account=\(account)" }

    /// Now, or so many seconds from now, as RFC 9110 writes it.
    static func date(after seconds: Double = 0) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return format.string(from: Date(timeIntervalSinceNow: seconds))
    }
}
