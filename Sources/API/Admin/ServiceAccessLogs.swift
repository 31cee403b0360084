internal import Access
internal import Audit
internal import Domain
internal import HTTPServer
internal import JSON

/// Calls of applications: `/api/v1/audits/service-access-logs/`. JumpServer's fields, and how each call ended.
package enum ServiceAccessLogsResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(
                .get, "/api/v1/audits/service-access-logs/", .permission(.viewAudit),
                "Secret fetches by applications, newest first",
                response: schema, style: .list
            ) { try await list($0, backend) }
        ]
    }

    private static let schema = Schema(
        "ServiceAccessLog",
        [
            .field("id", .uuid, .readOnly, "The request's id."), .field("remote_addr", .text(max: 64), .readOnly),
            .field("service", .text(max: 256), .readOnly, "The application's name."), .field("service_id", .uuid, .readOnly),
            .field("credential_id", .uuid, .readOnly), .field("asset", .text(max: 256), .readOnly),
            .field("account", .text(max: 256), .readOnly), .field("datetime", .dateTime, .readOnly),
            .field("outcome", .choice(["granted", "refused", "failed", "abandoned"]), .readOnly),
            .field("reason", .text(max: 512), .readOnly), .field("latency", .integer, .readOnly, "Microseconds."),
            .field("version", .integer, .readOnly),
            .field("count", .integer, .readOnly, "Like refusals that one entry stands for."),
            .field("org_id", .uuid, .readOnly),
        ])

    private static func list(_ call: Call, _ backend: Backend) async throws -> Reply {
        try await backend.gate.view(.viewAudit, as: call.principal(), in: call.organization, from: call.origin) { _ in
            let page = try Page(call.query)
            var query = try AuditQuery(call, page)
            query.actions = [.fetch]
            query.actorID = try call.query.id("service_id")
            for name in ["asset", "account"] {
                guard let text = call.query.text(name) else { continue }
                query.texts.append(AuditQuery.TextCondition(.object(kind: name), contains: text))
            }
            if let text = call.query.text("service") { query.texts.append(AuditQuery.TextCondition(.actorName, contains: text)) }
            let found = try await backend.audit.list(query)
            return .init(try found.reply(page, call) { write($0.entry, to: &$1) })
        }
    }

    private static func write(_ entry: AuditEntry, to writer: inout JSONWriter<[UInt8]>) {
        writer.object { writer in
            writer.field("id", entry.request)
            writer.field("remote_addr", entry.address)
            writer.field("service", entry.actor.name)
            if case .application(let id, _, let credential) = entry.actor {
                writer.field("service_id", id)
                writer.field("credential_id", credential)
            } else {
                writer.field("service_id", String?.none)
                writer.field("credential_id", String?.none)
            }
            for kind in ["asset", "account"] {
                let object = entry.objects.first { $0.kind == kind }
                writer.field(kind, object.map { $0.name.isEmpty ? $0.id : $0.name } ?? "")
            }
            writer.field("datetime", entry.time)
            writer.field("outcome", entry.outcome.rawValue)
            writer.field("reason", entry.reason)
            writer.field("latency", entry.latency)
            writer.field("version", entry.version)
            writer.field("count", entry.count)
            writer.field("org_id", entry.organization)
        }
    }
}
