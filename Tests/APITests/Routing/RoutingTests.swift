internal import API
internal import Domain
internal import HTTPServer
internal import JSON
internal import Server
internal import TestSupport
import Testing

@Suite("Routing")
struct RoutingTests {
    private let accounts = "/api/v1/accounts/accounts/"

    @Test(
        "a path that two readers could read differently is refused",
        arguments: [
            "/api/v1/accounts/../accounts/accounts/", "/api/v1/accounts/./accounts/", "/api/v1/accounts/%2e%2e/accounts/",
            "/api/v1/accounts/%2Faccounts/", "/api/v1/accounts/accounts%00/", "/api/v1//accounts/accounts/",
            "/api/v1/accounts/acc%5Counts/",
            "/api/v1/accounts/accounts/%zz/", "/api/v1/accounts/accounts\\/", "api/v1/accounts/accounts/",
            "/api/v1/accounts/%0aaccounts/", "",
        ])
    func badPaths(path: String) async throws {
        let vault = try await TestVault.make()
        let answer = try await vault.send(.get, path)
        #expect(answer.status == 400, "\(answer.text)")
        #expect(try answer.string("code") == "malformed")
    }

    @Test(
        "what is not there is 404: unknown paths, a missing slash, an id that is none",
        arguments: [
            "/", "/api/v1/", "/api/v1/accounts/accounts", "/api/v1/accounts/accounts/7/", "/api/v1/accounts/nothing/",
            "/api/v1/accounts/accounts/%41/",
        ])
    func absent(path: String) async throws {
        let vault = try await TestVault.make()
        #expect(try await vault.send(.get, path).status == 404)
    }

    @Test(
        "another method is 405 and names those that are offered", arguments: [HTTPServer.Method.put, .delete, .options, .other])
    func methods(method: HTTPServer.Method) async throws {
        let vault = try await TestVault.make()
        let answer = try await vault.send(method, accounts)
        #expect(answer.status == 405)
        #expect(answer.headers["Allow"] == "GET, HEAD, POST")
        #expect(try answer.string("code") == "method_not_allowed")
    }

    @Test(
        "a query parameter or a key that comes twice is refused, and so is what nests too deeply or is no JSON",
        arguments: [
            (HTTPServer.Method.get, "?limit=1&limit=2", nil), (.get, "?a=1&%61=2", nil), (.get, "?a=%zz", nil),
            (.get, "?a=%00", nil),
            (.post, "", #"{"name":"a","name":"b"}"#), (.post, "", #"{"name":"a","n\u0061me":"b"}"#),
            (.post, "", #"{"a":"# + String(repeating: "[", count: 20) + String(repeating: "]", count: 20) + "}"),
            (.post, "", "{"),
            (.post, "", "{\"a\":\"\u{1}\"}"), (.post, "", ""), (.post, "", "7"), (.post, "", "[7]"),
            (.get, "?" + (0..<101).map { "p\($0)=1" }.joined(separator: "&"), nil),
        ] as [(HTTPServer.Method, String, String?)])
    func malformed(method: HTTPServer.Method, query: String, body: String?) async throws {
        let vault = try await TestVault.make()
        let answer = try await vault.send(method, accounts + query, body)
        #expect(answer.status == 400, "\(answer.text)")
    }

    @Test("an organization is named by id, by name, or by default; another name is not there")
    func organizations() async throws {
        let vault = try await TestVault.make()
        let other = try await vault.makeOrganization("Other")
        for name in ["", "default", "DEFAULT", "Default", OrganizationID.default.description, other.description, "Other"] {
            #expect(try await vault.send(.get, accounts, in: name).status == 200, "\(name)")
        }
        for name in ["ROOT", "nowhere", AccountID.random().description, OrganizationID.system.description, "SYSTEM"] {
            #expect(try await vault.send(.get, accounts, in: name).status == 404, "\(name)")
        }
    }

    @Test("an error has detail, code and request id")
    func errors() async throws {
        let vault = try await TestVault.make()
        let answer = try await vault.send(.get, accounts + AccountID.random().description + "/")
        for name in ["detail", "code", "request_id"] { #expect(try answer.string(name)?.isEmpty == false) }
    }

    @Test("a sealed vault answers 503 and says so")
    func sealed() async throws {
        let vault = try await TestVault.make()
        try await vault.assembly.seal(by: .system("test"))
        let answer = try await vault.send(.get, accounts)
        #expect(answer.status == 503)
        #expect(try answer.string("code") == "sealed")
    }

    @Test("no path and no body brings the API down, or past the login")
    func fuzz() async throws {
        let vault = try await TestVault.make()
        var paths = Fuzzer(
            seed: 7,
            samples: [
                accounts, accounts + "?limit=1&offset=2", accounts + "clear-secret/?order=-name&a__in=b",
                "/api/docs/openapi.json",
            ])
        var bodies = Fuzzer(
            seed: 8,
            samples: [
                #"{"asset":"a","username":"root","labels":["a:b"],"secret":"x","su_from":null}"#, #"[{"asset":{"id":"1"}}]"#,
            ])
        for round in 0..<Fuzzer.rounds(300) {
            let path = String(decoding: paths.next(), as: UTF8.self)
            let stranger = try await vault.send(.get, path, token: "")
            #expect(
                [200, 400, 401, 404, 405].contains(stranger.status) && (stranger.status != 200 || path.contains("docs")),
                "\(path)")
            let body = String(decoding: bodies.next(), as: UTF8.self)
            let answer = try await vault.send(
                round % 2 == 0 ? .post : .patch, round % 2 == 0 ? accounts : accounts + "clear-secret/", body)
            #expect(answer.status == 400, "\(body): \(answer.status)")
        }
    }
}
