package import Access
internal import Domain
package import HTTPServer

/// The first thing that sees a request: sends secret fetches down the hot path and everything else to the admin surface.
package final class Edge: Handler {
    package struct Limits: Sendable {
        /// Largest body of an application's request, in bytes.
        package var applicationBody = 64 * 1024
        /// Largest body of an admin request, in bytes.
        package var adminBody = 4 * 1024 * 1024
        /// Largest body of a request whose bearer token names no login in force, in bytes: a login itself.
        package var strangerBody = 16 * 1024

        package init() {}
    }

    private let applications: ApplicationsAPI
    private let admin: any AsyncHandler
    private let logins: Logins
    private let limits: Limits

    package init(applications: ApplicationsAPI, admin: any AsyncHandler, logins: Logins, limits: Limits = Limits()) {
        self.applications = applications
        self.admin = admin
        self.logins = logins
        self.limits = limits
    }

    package func limit(_ exchange: Exchange) -> BodyPolicy {
        if Self.isFetch(exchange.path) { return .limit(limits.applicationBody) }
        if let refusal = refusal(of: exchange) { return .refuse(refusal) }
        // Who is not logged in can only log in: large bodies of strangers would take the room of everybody's.
        let forStrangers = min(limits.strangerBody, limits.adminBody)
        if (exchange.announcedLength ?? .max) <= forStrangers { return .limit(forStrangers) }
        guard let authorization = exchange.header("authorization"), logins.isLive(authorization) else {
            return stranger(exchange, limit: forStrangers)
        }
        return .limit(limits.adminBody)
    }

    package func handle(_ exchange: Exchange) {
        guard Self.isFetch(exchange.path) else { return exchange.answer(by: admin) }
        guard exchange.method == .get || exchange.method == .head else {
            return exchange.respond(
                Problem.body(
                    405, "method_not_allowed", "Method \"\(exchange.method.rawValue)\" not allowed.", exchange.requestID,
                    [.init("Allow", "GET, HEAD")]))
        }
        applications.handle(exchange)
    }

    package func cycleEnded(loop: Int) { applications.cycleEnded(loop: loop) }

    package func undelivered(_ answer: Undelivered) { applications.recordUndelivered(answer) }

    /// A body of unknown length is read as far as a stranger's may go; one that is announced to be longer is refused at once.
    private func stranger(_ exchange: Exchange, limit: Int) -> BodyPolicy {
        guard exchange.announcedLength != nil else { return .limit(limit) }
        if logins.isSealed { return .refuse(Problem.response(.sealed, id: exchange.requestID)) }
        return .refuse(
            Problem.body(
                413, "body_too_large", "Without a login in force a body may have at most \(limit) bytes.", exchange.requestID))
    }

    /// JumpServer's two names of the one route.
    private static func isFetch(_ path: UnsafeRawBufferPointer) -> Bool {
        path.equals("/api/v1/accounts/integration-applications/account-secret/")
            || path.equals("/api/v1/accounts/service-integrations/account-secret/")
    }

    /// What is wrong with a request before its body is read: the type of the body.
    private func refusal(of exchange: Exchange) -> Response? {
        guard exchange.method == .post || exchange.method == .put || exchange.method == .patch,
            (exchange.announcedLength ?? 1) > 0
        else { return nil }
        let type = exchange.header("content-type").map { Array($0.prefix { $0 != UInt8(ascii: ";") && $0 != 32 }) } ?? []
        let lower = type.map { (65...90).contains($0) ? $0 | 0x20 : $0 }
        guard lower.elementsEqual("application/json".utf8) else {
            return Problem.body(415, "unsupported_media_type", "The body must be application/json.", exchange.requestID)
        }
        return nil
    }
}
