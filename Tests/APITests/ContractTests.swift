internal import API
internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Server
import Testing

/// What holds for every operation of the catalogue, whoever adds one.
@Suite("Contract of all routes")
struct ContractTests {
    /// What is global rather than of one organization: anybody with the permission may name it from anywhere.
    private static let global = ["/api/v1/orgs/orgs/", "/api/v1/assets/platforms/"]

    @Test("without login every operation but the open ones is 401 and does nothing")
    func strangers() async throws {
        let vault = try await TestVault.make()
        var tried = 0
        for route in vault.routes {
            let path = route.path.filled { _ in AccountID.random().description }
            let answer = try await vault.send(route.method, path, route.request == nil ? nil : "{}", token: "")
            if route.guarding == .open {
                #expect(answer.status != 401 || route.path.description.contains("authentication"), "\(path)")
            } else {
                #expect(answer.status == 401, "\(route.method.rawValue) \(path)")
                tried += 1
            }
            let forged = try await vault.send(
                route.method, path, route.request == nil ? nil : "{}", token: String(repeating: "a", count: 36))
            if route.guarding != .open { #expect(forged.status == 401, "\(route.method.rawValue) \(path)") }
        }
        #expect(tried > 30)
    }

    @Test("with another organization's ids every operation is 404, beside its own where it is not")
    func tenants() async throws {
        let vault = try await TestVault.make()
        let mine = try await vault.makeOrganization("Mine")
        let other = try await vault.makeOrganization("Other")
        let things = try await Things(vault, in: mine)
        try await vault.confirm()
        // Deletions last, for they take the control away.
        let routes = vault.routes.sorted { ($0.method == .delete ? 1 : 0) < ($1.method == .delete ? 1 : 0) }
        for route in routes where route.path.description.contains("{") && !Self.isGlobal(route) {
            let path = try things.path(of: route)
            let body = try await things.body(for: route, path)
            let name = "\(route.method.rawValue) \(path)"
            #expect(try await vault.send(route.method, path, body, in: other.description).status == 404, "\(name) from elsewhere")
            guard route.method != .delete else { continue }
            let own = try await vault.send(route.method, path, body, in: mine.description)
            #expect([200, 201, 204, 410].contains(own.status), "\(name) from its own: \(own.status) \(own.text)")
        }
        for path in things.all {
            #expect(try await vault.send(.get, path, in: mine.description).status == 200, "\(path) survives")
            #expect(try await vault.send(.delete, path, in: mine.description).status == 204, "\(path) is its own to delete")
        }
    }

    @Test("a field that an operation does not know is refused by its name")
    func unknownFields() async throws {
        let vault = try await TestVault.make()
        let things = try await Things(vault, in: .default)
        for route in vault.routes where route.request != nil && route.guarding != .open && !Self.isGlobal(route) {
            let path = try things.path(of: route)
            let answer = try await vault.send(route.method, path, #"{"no_such_field":1}"#)
            #expect(answer.status == 400, "\(route.method.rawValue) \(path): \(answer.status)")
            #expect(try answer.value("no_such_field")?.array != nil, "\(route.method.rawValue) \(path): \(answer.text)")
        }
    }

    @Test("every field that the description of a request lists is one that the operation reads or lets pass")
    func describedFields() async throws {
        let vault = try await TestVault.make()
        let things = try await Things(vault, in: .default)
        for route in vault.routes {
            guard let schema = route.request, route.guarding != .open, !Self.isGlobal(route) else { continue }
            let path = try things.path(of: route)
            // An array fits none of the fields: what is known says what it expects, what is unknown says that.
            let body = "{" + schema.fields.map { #""\#($0.name)":[[]]"# }.joined(separator: ",") + "}"
            let answer = try await vault.send(route.method, path, body)
            for field in schema.fields {
                let messages = try answer.value(field.name)?.array.map { Array($0).compactMap(\.string) } ?? []
                #expect(!messages.contains("Unknown field."), "\(route.method.rawValue) \(path): \(field.name)")
            }
        }
    }

    @Test(
        "every list gives a bare array, pages with a limit, says where the next page is, and refuses a filter that it does not have"
    )
    func lists() async throws {
        let vault = try await TestVault.make()
        let things = try await Things(vault, in: .default)
        try await vault.confirm()
        for route in vault.routes where route.style == .list {
            let path = try things.path(of: route)
            let whole = try await vault.send(.get, path)
            #expect(try whole.status == 200 && whole.json.array != nil, "\(path): \(whole.text.prefix(200))")
            let page = try await vault.send(.get, path + "?limit=1&offset=0")
            #expect(page.status == 200)
            let count = try #require(try page.int("count"), "\(path)")
            let results = try #require(try page.value("results")?.array, "\(path)")
            #expect(Array(results).count == min(1, Int(count)))
            #expect(try (page.string("next") != nil) == (count > 1), "\(path)")
            #expect(try page.value("previous")?.isNull == true)
            let behind = try await vault.send(.get, path + "?limit=1&offset=100000")
            #expect(try behind.value("results")?.count == 0)
            // What was meant as a filter and left out would show too much.
            let filtered = try await vault.send(.get, path + "?limit=1&nonsense__regex=x")
            #expect(filtered.status == 400 && filtered.text.contains("nonsense__regex"), "\(path): \(filtered.text.prefix(200))")
            // A name that no list has is no order, and no reason to refuse, as with JumpServer.
            #expect(try await vault.send(.get, path + "?limit=1&order=nonsense&nonsense=1").status == 200, "\(path)")
        }
    }

    @Test("an auditor may look and change nothing")
    func auditor() async throws {
        let vault = try await TestVault.make()
        let allowed = Role.auditor.permissions
        for route in vault.routes {
            guard case .permission(let permission) = route.guarding, route.method != .get else { continue }
            #expect(!allowed.contains(permission) || permission == .ownSession, "\(route.method.rawValue) \(route.path)")
        }
        #expect(!allowed.contains(.revealAccount))
    }

    private static func isGlobal(_ route: Route) -> Bool { global.contains { route.path.description.hasPrefix($0) } }
}
