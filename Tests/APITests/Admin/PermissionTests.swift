internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

@Suite("Permissions of the admin API")
struct PermissionTests {
    @Test(
        "a user who may only look is refused every change before the body is read, and the refusal is on the record",
        arguments: [
            ("/api/v1/orgs/orgs/", "organization"), ("/api/v1/assets/nodes/", "node"), ("/api/v1/assets/assets/", "asset"),
            ("/api/v1/assets/hosts/", "asset"), ("/api/v1/labels/labels/", "label"),
        ])
    func auditor(path: String, noun: String) async throws {
        let vault = try await TestVault.make()
        #expect(try await vault.send(.get, path, token: vault.auditorToken).status == 200)
        let id = AssetID.random().description
        for (method, target, verb) in [
            (HTTPServer.Method.post, path, "create"), (.put, path + id + "/", "change"), (.patch, path + id + "/", "change"),
            (.delete, path + id + "/", "delete"),
        ] {
            let refused = try await vault.send(method, target, "{ not even JSON", token: vault.auditorToken)
            #expect(refused.status == 403)
            let last = try #require(try vault.audit().last)
            #expect(last.action == "\(noun).\(verb)")
            #expect(last.outcome == "refused")
            let body = try #require(try vault.auditBodies().last)
            #expect(body.contains(id) == (target != path))
        }
    }

    @Test("nobody gets in without a token, and the answer is the same for every path", arguments: HTTPServer.Method.allCases)
    func stranger(method: HTTPServer.Method) async throws {
        guard [.get, .post, .put, .patch, .delete].contains(method) else { return }
        let vault = try await TestVault.make()
        let id = AssetID.random().description
        for path in ["/api/v1/assets/hosts/", "/api/v1/labels/labels/", "/api/v1/assets/nodes/", "/api/v1/orgs/orgs/"] {
            let target = [.get, .post].contains(method) ? path : path + id + "/"
            #expect(try await vault.send(method, target, "{}", token: "").status == 401)
        }
    }
}
