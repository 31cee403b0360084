import Foundation
import JSON
import Outbound
import TestSupport
import Testing

/// Who gets in, and who does not, seen from outside.
@Suite("Access by applications")
struct ApplicationAccessTests {
    @Test("every refusal to authenticate looks the same, and each true reason stands in the audit")
    func sameRefusal() async throws {
        let vault = try await SmallVault.start()
        let connection = APIConnection(vault.server)
        let (key, target) = (vault.key, ApplicationKey.target)
        var stale = ApplicationKey.Form()
        stale.date = ApplicationKey.date(after: -600)
        let inactive = try await vault.admin.application("inactive")
        let path = "/api/v1/accounts/integration-applications/\(inactive.id)/"
        #expect(try await vault.admin.call(.patch, path, #"{"is_active":false}"#).status == 200)
        let elsewhere = try await vault.admin.application("elsewhere", networks: ["10.0.0.0/8"])
        let garbled = try key.headers().map { $0.0 == "Authorization" ? ($0.0, "Signature nonsense") : $0 }
        let requests: [(reason: String, headers: [(String, String)])] = [
            ("unknown key", try ApplicationKey(id: vault.asset, secret: key.secret).headers()),
            ("wrong signature", try ApplicationKey(id: key.id, secret: "x" + key.secret.dropFirst()).headers()),
            ("application inactive", try inactive.headers()),
            ("address not allowed for the application", try elsewhere.headers()),
            ("stale date", try key.headers(target, stale)), ("malformed authorization", garbled),
        ]
        var bodies: Set<String> = []
        for request in requests {
            let answer = try await connection.send(.get, target, headers: request.headers)
            #expect(answer.status == 401, "\(request.reason)")
            bodies.insert(answer.text.replacing(answer.string("request_id"), with: ""))
        }
        #expect(bodies.count == 1, "\(bodies)")
        let reasons = try await AuditExport(vault.server).entries("secret.fetch").compactMap { $0["reason"]?.string }
        #expect(reasons.count == requests.count)
        for (reason, request) in zip(reasons, requests) { #expect(reason.hasPrefix(request.reason), "\(reason)") }
    }

    @Test("a request that was overheard is worth nothing from another address, and nothing later")
    func replay() async throws {
        let vault = try await SmallVault.start()
        let key = try await vault.admin.application("roaming", networks: ["127.0.0.0/8"])
        let headers = try key.headers()
        let here = APIConnection(vault.server)
        let elsewhere = APIConnection(vault.server, from: "127.0.0.2")
        #expect(try await here.send(.get, ApplicationKey.target, headers: headers).status == 200)
        #expect(try await elsewhere.send(.get, ApplicationKey.target, headers: headers).status == 401)
        // Two honest calls in one second look alike.
        #expect(try await here.send(.get, ApplicationKey.target, headers: headers).status == 200)
        // A signature of another second is another one, and good from elsewhere.
        try await Task.sleep(for: .seconds(1.1))
        #expect(try await key.fetch(over: elsewhere).status == 200)
        // Nor for another account, with another method, or after the server was started again.
        let other = ApplicationKey.target(asset: "db1", account: "other")
        #expect(try await here.send(.get, other, headers: headers).status == 401)
        try await vault.server.restart()
        #expect(try await APIConnection(vault.server).send(.get, ApplicationKey.target, headers: headers).status == 401)
        try await Task.sleep(for: .seconds(1.1))
        #expect(try await key.fetch(over: APIConnection(vault.server)).status == 200)
    }

    @Test("what the filter hides looks like what is not there; revoking and narrowing act at once")
    func filters() async throws {
        let vault = try await SmallVault.start()
        let other = try await vault.admin.account("other", on: vault.asset, secret: "another secret")
        let key = try await vault.admin.application(
            "narrow", filter: #"{"type":"attrs","attrs":[{"name":"username","match":"exact","value":"root"}]}"#)
        let connection = APIConnection(vault.server)
        #expect(try await key.fetch(over: connection).status == 200)
        let hidden = try await key.fetch(over: connection, ApplicationKey.target(asset: "db1", account: "other"))
        let absent = try await key.fetch(over: connection, ApplicationKey.target(asset: "db1", account: "nobody"))
        let byID = try await key.fetch(over: connection, ApplicationKey.route + "?account_id=\(other)")
        for answer in [hidden, absent, byID] {
            #expect(answer.status == 400)
            #expect(
                answer.text.replacing(answer.string("request_id"), with: "")
                    == absent.text.replacing(absent.string("request_id"), with: ""))
        }
        let reasons = try await AuditExport(vault.server).entries("secret.fetch", outcome: "refused").map { $0["reason"]?.string }
        let filtered = "hidden by the application's account filter"
        #expect(reasons == [filtered, "not_found", filtered], "the audit knows better")
        let path = "/api/v1/accounts/integration-applications/\(key.id)/"
        #expect(try await vault.admin.call(.patch, path, #"{"accounts":{"type":"ids","ids":["\#(other)"]}}"#).status == 200)
        #expect(try await key.fetch(over: connection).status == 400)
        #expect(try await key.fetch(over: connection, ApplicationKey.target(asset: "db1", account: "other")).status == 200)
        let account = "/api/v1/accounts/accounts/\(other)/"
        #expect(try await vault.admin.call(.patch, account, #"{"is_active":false}"#).status == 200)
        #expect(try await key.fetch(over: connection, ApplicationKey.target(asset: "db1", account: "other")).status == 400)
        #expect(try await vault.admin.call(.delete, path).status == 204)
        #expect(try await key.fetch(over: connection).status == 401)
    }

    @Test("a key opens its own fetch and nothing of the administration")
    func reach() async throws {
        let vault = try await SmallVault.start()
        let connection = APIConnection(vault.server)
        for target in [
            "/api/v1/accounts/integration-applications/", "/api/v1/accounts/integration-applications/\(vault.key.id)/",
            "/api/v1/accounts/integration-applications/\(vault.key.id)/secret/", "/api/v1/accounts/accounts/",
            "/api/v1/accounts/account-secrets/\(vault.account)/", "/api/v1/audits/service-access-logs/", "/metrics", "/readyz",
        ] {
            let answer = try await vault.key.fetch(over: connection, target)
            #expect(answer.status == 401 && answer.string("code") == "authentication_failed", "\(target): \(answer.text)")
        }
        #expect(try await vault.key.fetch(over: connection).status == 200)
    }

    @Test("an application that asks too often is told to wait, and others are not")
    func rateLimit() async throws {
        let vault = try await SmallVault.start()
        let path = "/api/v1/accounts/integration-applications/\(vault.key.id)/"
        #expect(try await vault.admin.call(.patch, path, #"{"rate_limit":5}"#).status == 200)
        let connection = APIConnection(vault.server)
        var refused: APIConnection.Answer?
        for _ in 0..<10 where refused == nil {
            let answer = try await vault.key.fetch(over: connection)
            if answer.status != 200 { refused = answer }
        }
        #expect(refused?.status == 429)
        #expect((refused?.header("retry-after").flatMap { Int($0) } ?? 0) >= 1)
        let other = try await vault.admin.application("other")
        #expect(try await other.fetch(over: connection).status == 200)
    }
}
