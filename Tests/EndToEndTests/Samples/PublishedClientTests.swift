import Foundation
import JSON
import TestSupport
import Testing

/// What JumpServer's published demos and packages send, each in its own form; the server answers them all.
@Suite("Published clients")
struct PublishedClientTests {
    struct Client: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var target = ApplicationKey.target
        var form = ApplicationKey.Form()
        /// Seconds east of Greenwich that the date is written in.
        var zone: Int?

        init(_ name: String, _ change: (inout Client) -> Void = { _ in }) {
            testDescription = name
            change(&self)
        }
    }

    private static let old = "/api/v1/accounts/service-integrations/account-secret/"

    static let clients = [
        Client("the curl and Node demos"),
        Client("the Python demo, with header names in lower case and a blank as +") { client in
            client.target += "&note=a+b"
            client.form.more = [
                ("user-agent", "python-requests/2.32.3"), ("accept-encoding", "gzip, deflate"), ("connection", "keep-alive"),
            ]
        },
        Client("the Go demo, which sorts the parameters") { $0.target = ApplicationKey.route + "?account=root&asset=db1" },
        Client("the Java demo: local zone, h2c upgrade, a length of zero") { client in
            client.zone = 8 * 3_600
            client.form.more = [
                ("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
                ("HTTP2-Settings", "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"),
                ("Content-Length", "0"),
            ]
        },
        Client("the Java demo west of Greenwich") { $0.zone = -(9 * 3_600 + 1_800) },
        Client("the Python package: the old route, method=get, the organization unsigned") { client in
            client.target = Self.old + "?asset=db1&account=root&method=get"
            client.form.signed = ["(request-target)", "accept", "date"]
        },
        Client("the Go package: the old route, no organization at all") { client in
            client.target = Self.old + "?account=root&asset=db1"
            client.form.signed = ["(request-target)", "date"]
            client.form.organization = nil
        },
        Client("parameters of the authorization in another order") { client in
            client.form.order = ["signature", "headers", "algorithm", "keyId"]
        },
        Client("signed headers in another order") { $0.form.signed = ["x-jms-org", "date", "(request-target)", "accept"] },
    ]

    @Test("is answered as by JumpServer, with the fields that it has", arguments: clients)
    func answered(_ client: Client) async throws {
        let vault = try await SmallVault.start()
        var form = client.form
        if let zone = client.zone { form.date = Self.date(east: zone) }
        let headers = try vault.key.headers(client.target, form)
        let answer = try await vault.server.curl.request("GET", client.target, headers: headers)
        #expect(answer.status == 200, "\(answer.text)")
        let body = try JSONDocument.parse(answer.body)
        #expect(body["id"]?.string == vault.key.id && body["secret"]?.string == SmallVault.secret)
        #expect(answer.header("content-type")?.hasPrefix("application/json") == true)
        // What all of them do with a refusal: they read `detail`.
        let hidden = client.target.replacing("db1", with: "no-such-asset")
        let refusal = try await vault.server.curl.request("GET", hidden, headers: vault.key.headers(hidden, form))
        #expect(refusal.status == 400)
        #expect(try JSONDocument.parse(refusal.body)["detail"]?.string == "Account not found")
    }

    @Test("accounts are named by ids too")
    func ids() async throws {
        let vault = try await SmallVault.start()
        let connection = APIConnection(vault.server)
        for query in ["account_id=\(vault.account)", "asset_id=\(vault.asset)&account=root"] {
            let answer = try await vault.key.fetch(over: connection, ApplicationKey.route + "?" + query)
            #expect(answer.status == 200 && answer.string("account_id") == vault.account, "\(query): \(answer.text)")
        }
    }

    /// As Java's RFC_1123_DATE_TIME writes it: without a leading zero of the day.
    private static func date(east seconds: Int) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: seconds)
        format.dateFormat = "EEE, d MMM yyyy HH:mm:ss Z"
        return format.string(from: Date())
    }
}
