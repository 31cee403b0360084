internal import API
internal import Domain
internal import HTTPServer
internal import Server
internal import Storage
import Testing

@testable import Audit

/// Requests that never come to the gate, since something is wrong with them before: each is on the record all the same.
@Suite("Refusals before the gate")
struct EarlyRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let method: HTTPServer.Method
        let path: String
        var body: String?
        var organization: String?
        let status: Int
        /// Action and reason.
        let entry: String
    }

    private static let settings = "/api/v1/settings/setting/"
    private static let canary = "cAnArY7f3a91bd55e0"

    static let cases = [
        Case(
            testDescription: "broken JSON", method: .patch, path: settings, body: "{\"SECURITY_DISABLE_VIEW_SECRET\": \(canary)",
            status: 400,
            entry: "setting.change The body is not valid JSON: unexpected character (at byte 33)."),
        Case(
            testDescription: "an unknown field", method: .patch, path: settings, body: "{\"\(canary)\":true}", status: 400,
            entry: "setting.change invalid: another field"),
        Case(
            testDescription: "a wrong field among unknown ones", method: .patch, path: settings,
            body: "{\"\(canary)\":true,\"x\":1,\"HISTORY_ACCOUNT_CLEAN_LIMIT\":\"\(canary)\"}", status: 400,
            entry: "setting.change invalid: HISTORY_ACCOUNT_CLEAN_LIMIT, 2 other fields"),
        Case(
            testDescription: "a field of the second of two labels", method: .post, path: "/api/v1/labels/labels/",
            body: "[{\"name\":\"a\",\"value\":\"b\"},{\"name\":1,\"value\":\"b\",\"\(canary)\":1}]", status: 400,
            entry: "label.create invalid: name, another field"),
        Case(
            testDescription: "an id that is none", method: .get, path: "/api/v1/accounts/accounts/\(canary)/", status: 404,
            entry: "account.view not_found"),
        Case(
            testDescription: "an organization that is not there", method: .get, path: "/api/v1/accounts/accounts/",
            organization: canary, status: 404, entry: "account.view not_found"),
        Case(
            testDescription: "an organization in the query that is not there", method: .get,
            path: "/api/v1/accounts/accounts/?oid=\(canary)", status: 404, entry: "account.view not_found"),
        Case(
            testDescription: "a query parameter that comes twice", method: .get,
            path: "/api/v1/accounts/accounts/?oid=\(canary)&oid=\(canary)", status: 400,
            entry: "account.view A query parameter is given twice."),
        Case(
            testDescription: "a broken escape in the query", method: .delete,
            path: "/api/v1/labels/labels/00000000-0000-0000-0000-000000000001/?a=%zz\(canary)", status: 400,
            entry: "label.delete A query parameter is not valid percent-encoded UTF-8."),
    ]

    @Test("of a user who is logged in, each leaves one entry with the true reason and nothing that was sent", arguments: cases)
    func known(_ one: Case) async throws {
        let vault = try await TestVault.make()
        let before = try vault.audit().count
        let answer = try await vault.send(one.method, one.path, one.body, in: one.organization)
        #expect(answer.status == one.status, "\(answer.text)")
        let new = try vault.auditBodies().dropFirst(before).map { try EntryReader.read(Array($0.utf8)) }
        #expect(new.map { "\($0.action.rawValue) \($0.reason)" } == [one.entry])
        #expect(new.allSatisfy { $0.actor.name == TestVault.username && $0.outcome == .refused && $0.address == "127.0.0.1" })
        #expect(!(try vault.auditBodies().joined().contains(Self.canary)))
    }

    @Test(
        "a login without its fields, or that is no JSON, leaves an entry of nobody",
        arguments: ["{}", "{\"username\":\"admin\"}", "{", "[]"])
    func login(body: String) async throws {
        let vault = try await TestVault.make()
        let before = try vault.audit().count
        #expect(try await vault.send(.post, "/api/v1/authentication/auth/", body, token: "").status == 400)
        let new = try vault.audit().dropFirst(before)
        #expect(new.map { "\($0.actorKind) \($0.action) \($0.outcome)" } == ["anonymous session.login refused"])
    }

    @Test("a login that is refused leaves one entry and not two")
    func refusedLogin() async throws {
        let vault = try await TestVault.make()
        let before = try vault.audit().count
        let body = #"{"username":"admin","password":"wrong"}"#
        #expect(try await vault.send(.post, "/api/v1/authentication/auth/", body, token: "").status == 401)
        #expect(try vault.audit().count == before + 1)
    }

    @Test("while the vault is sealed each administrator's request leaves an entry of nobody")
    func sealed() async throws {
        let vault = try await TestVault.make()
        try await vault.assembly.seal(by: .operatorLocal("root"))
        let before = try vault.audit().count
        #expect(try await vault.send(.get, "/api/v1/accounts/accounts/").status == 503)
        #expect(try await vault.send(.patch, Self.settings, "{}").status == 503)
        let new = try vault.audit().dropFirst(before)
        #expect(
            new.map { "\($0.actorKind) \($0.action) \($0.outcome)" } == [
                "anonymous account.view refused", "anonymous setting.change refused",
            ])
    }
}
