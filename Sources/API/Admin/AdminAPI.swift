internal import Access
internal import Domain
package import HTTPServer
internal import Logging
internal import Storage

/// The admin surface: finds the operation, the caller and the organization, runs it, and turns what comes out into a response.
package struct AdminAPI: AsyncHandler {
    private let backend: Backend
    private let router: Router
    private let addresses: ClientAddressRule
    private let jsonDepth: Int

    /// - Parameter jsonDepth: the greatest nesting of a body.
    package init(backend: Backend, router: Router, addresses: ClientAddressRule, jsonDepth: Int = 16) {
        self.backend = backend
        self.router = router
        self.addresses = addresses
        self.jsonDepth = jsonDepth
    }

    package func respond(to request: HTTPServer.Request) async -> Response {
        do {
            return try await answer(request)
        } catch let refusal as Refusal {
            if case .integrity(let detail) = refusal {
                backend.logger.error(
                    "stored data fail authentication", metadata: ["request": "\(request.requestID)", "fault": "\(detail)"])
            }
            return Problem.response(refusal, id: request.requestID)
        } catch let fault as StorageFault {
            return storage(fault, request)
        } catch {
            backend.logger.error("request failed", metadata: ["request": "\(request.requestID)", "error": "\(type(of: error))"])
            return Problem.unexpected(id: request.requestID)
        }
    }

    private func answer(_ request: HTTPServer.Request) async throws -> Response {
        let path = try Self.path(request.rawTarget)
        switch router.find(request.method, path) {
        case .nothing:
            throw Refusal.notFound
        case .otherMethods(let allowed):
            // Whatever can be got can be asked for without its body.
            let all = Set(allowed).union(allowed.contains(.get) ? [.head] : [])
            let names = all.map(\.rawValue).sorted().joined(separator: ", ")
            return Problem.body(
                405, "method_not_allowed", "Method \"\(request.method.rawValue)\" not allowed.", request.requestID,
                [.init("Allow", names)])
        case .route(let route, let parameters):
            return try await act(request, route, parameters)
        }
    }

    /// Runs an operation. Whatever comes of it is on the record: what is refused before the operation reaches the gate, too.
    private func act(_ request: HTTPServer.Request, _ route: Route, _ parameters: [String: String]) async throws -> Response {
        let (origin, fault) = addresses.origin(of: request)
        if let fault {
            // Whoever could hide the address would hide from the limits of logins, and from the record.
            try await backend.gate.recordStrangerRefusal(route.action, from: origin, reason: fault)
            throw Refusal.unauthenticated(reason: fault)
        }
        if backend.keyring.isSealed {
            // Nobody can prove who they are to a vault that is sealed.
            try await backend.gate.recordStrangerRefusal(route.action, from: origin, reason: Refusal.sealed.auditReason)
            throw Refusal.sealed
        }
        let wording = RefusalWording(route)
        guard route.guarding != .open else {
            return try await backend.gate.attend(route.action, by: nil, from: origin, wording: { wording($0) }) {
                let query = try Query(request.rawQuery)
                return try await route.act(call(request, parameters, query, origin)).response
            }
        }
        let caller = try await backend.logins.principal(
            authorization: request.header("authorization"), from: origin, for: route.path.description)
        let objects = route.objects(parameters)
        return try await backend.gate.attend(
            route.action, by: caller.actor, from: origin, objects: objects, wording: { wording($0) }
        ) {
            let query = try Query(request.rawQuery)
            let organization = try await organization(
                named: request.header("x-jms-org") ?? query.text("oid").map { Array($0.utf8) })
            try await require(route, of: caller, in: organization, from: origin, objects)
            return try await route.act(call(request, parameters, query, origin, caller, organization)).response
        }
    }

    private func call(
        _ request: HTTPServer.Request, _ parameters: [String: String], _ query: Query, _ origin: RequestOrigin,
        _ caller: Principal? = nil, _ organization: OrganizationID = .default
    ) -> Call {
        Call(
            request: request, parameters: parameters, query: query, origin: origin, caller: caller, organization: organization,
            jsonDepth: jsonDepth)
    }

    /// Refuses who lacks the route's permission before anything of the request is looked at. The gate asks again when the act itself comes.
    private func require(
        _ route: Route, of caller: Principal, in organization: OrganizationID, from origin: RequestOrigin,
        _ objects: [AuditObject]
    ) async throws {
        guard case .permission(let permission) = route.guarding, !caller.permissions.contains(permission) else { return }
        let refusal = Refusal.forbidden(permission)
        try await backend.gate.recordRefusal(
            route.action, by: caller.actor, in: organization, from: origin, reason: refusal.auditReason, objects: objects)
        throw refusal
    }

    /// The organization that the header or `oid` means: an id, a name, or nothing for the default one. It must exist.
    private func organization(named value: [UInt8]?) async throws -> OrganizationID {
        guard let value, !value.isEmpty else { return .default }
        guard let text = String(validating: value, as: UTF8.self) else {
            throw Refusal.malformed("X-JMS-ORG is not valid UTF-8.")
        }
        if text.lowercased() == "default" { return .default }
        let id = OrganizationID(text)
        let keyring = backend.keyring
        let found = try await backend.database.read { db in
            let stored = try id.map { try Organizations.get($0, on: db) } ?? Organizations.get(named: text, on: db)
            return try stored.map { try keyring.keys().verified($0) }
        }
        guard let found, found.id != .system else { throw Refusal.notFound }
        return found.id
    }

    private static func path(_ target: [UInt8]) throws -> RequestPath {
        do {
            return try target.withUnsafeBytes { bytes in
                try RequestPath(UnsafeRawBufferPointer(rebasing: bytes.prefix { $0 != UInt8(ascii: "?") }))
            }
        } catch {
            throw Refusal.malformed("The path is not allowed: \(error).")
        }
    }

    private func storage(_ fault: StorageFault, _ request: HTTPServer.Request) -> Response {
        switch fault {
        case .constraint(.unique, let columns):
            return Problem.response(Refusal.conflict("Already exists: \(columns)."), id: request.requestID)
        case .constraint(.foreignKey, _):
            return Problem.response(
                Refusal.conflict("Something else still refers to it, or it refers to something that is not there."),
                id: request.requestID)
        case .full, .readOnly:
            backend.logger.error("storage refused a write", metadata: ["request": "\(request.requestID)", "fault": "\(fault)"])
            return Problem.response(Refusal.unavailable("The disk is full or cannot be written."), id: request.requestID)
        default:
            backend.logger.error("storage failed", metadata: ["request": "\(request.requestID)", "fault": "\(fault)"])
            return Problem.response(Refusal.unavailable("The storage failed."), id: request.requestID)
        }
    }
}

extension Route {
    /// What a refusal of the operation is recorded as.
    fileprivate var action: AuditAction {
        switch guarding {
        case .permission(let permission): AuditAction(permission)
        case .open: method == .post ? .login : AuditAction(rawValue: "document.view")
        case .application: .fetch
        }
    }

    /// The object that the path names; only what looks like an id is written down.
    fileprivate func objects(_ parameters: [String: String]) -> [AuditObject] {
        guard case .permission(let permission) = guarding, let id = parameters["id"].flatMap({ Identifier<Asset>($0) }) else {
            return []
        }
        return [AuditObject(kind: String(permission.rawValue.prefix { $0 != "." }), id: id.description)]
    }
}
