internal import Access
internal import Audit
internal import Domain
internal import HTTPServer
internal import JSON

/// Every decision that was written down: `/api/v1/audits/audit-logs/`.
package enum AuditLogsResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(
                .get, "/api/v1/audits/audit-logs/", .permission(.viewAudit), "The audit, newest first", response: schema,
                style: .list
            ) { try await list($0, backend) }
        ]
    }

    private static let schema = Schema(
        "AuditLog",
        [
            .field("id", .integer, .readOnly, "Number in the chain."), .field("datetime", .dateTime, .readOnly),
            .field("phase", .choice(AuditPhase.allCases.map(\.rawValue)), .readOnly), .field("actor", .anyObject, .readOnly),
            .field("user", .text(max: 256), .readOnly, "The actor's name."), .field("remote_addr", .text(max: 64), .readOnly),
            .field("action", .text(max: 64), .readOnly, "noun.verb"),
            .field(
                "objects",
                .list(of: [
                    .field("kind", .text(max: 64), .readOnly), .field("id", .text(max: 128), .readOnly),
                    .field("name", .text(max: 256), .readOnly),
                ]), .readOnly), .field("outcome", .choice(AuditOutcome.allCases.map(\.rawValue)), .readOnly),
            .field("reason", .text(max: 512), .readOnly), .field("request_id", .uuid, .readOnly),
            .field("latency", .integer, .readOnly, "Microseconds."), .field("version", .integer, .readOnly),
            .field("count", .integer, .readOnly, "Like refusals that one entry stands for."), .field("org_id", .uuid, .readOnly),
            .field("hash", .text(max: 64), .readOnly, "Links the entry to all before it."),
        ])

    private static func list(_ call: Call, _ backend: Backend) async throws -> Reply {
        try await backend.gate.view(.viewAudit, as: call.principal(), in: call.organization, from: call.origin) { _ in
            let page = try Page(call.query)
            var query = try AuditQuery(call, page, lists: ["action", "actor_kind"])
            query.actions = AuditQuery.values("action", call.query).map { AuditAction(rawValue: $0) }
            query.actorKinds = AuditQuery.values("actor_kind", call.query)
            query.actorID = try call.query.id("actor_id")
            if let text = call.query.text("user") { query.texts.append(AuditQuery.TextCondition(.actorName, contains: text)) }
            let found = try await backend.audit.list(query)
            return .init(try found.reply(page, call) { write($0, to: &$1) })
        }
    }

    private static func write(_ record: AuditRecord, to writer: inout JSONWriter<[UInt8]>) {
        let entry = record.entry
        writer.object { writer in
            writer.field("id", record.seq)
            writer.field("datetime", entry.time)
            writer.field("phase", entry.phase.rawValue)
            writer.key("actor")
            write(entry.actor, to: &writer)
            writer.field("user", entry.actor.name)
            writer.field("remote_addr", entry.address)
            writer.field("action", entry.action.rawValue)
            writer.array("objects") { writer in
                for object in entry.objects {
                    writer.object {
                        $0.field("kind", object.kind)
                        $0.field("id", object.id)
                        $0.field("name", object.name)
                    }
                }
            }
            writer.field("outcome", entry.outcome.rawValue)
            writer.field("reason", entry.reason)
            writer.field("request_id", entry.request)
            writer.field("latency", entry.latency)
            writer.field("version", entry.version)
            writer.field("count", entry.count)
            writer.field("org_id", entry.organization)
            writer.field("hash", record.hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        }
    }

    private static func write(_ actor: Actor, to writer: inout JSONWriter<[UInt8]>) {
        writer.object {
            $0.field("kind", actor.kind)
            switch actor {
            case .user(let id, _): $0.field("id", id)
            case .application(let id, _, let credential):
                $0.field("id", id)
                $0.field("credential", credential)
            case .system, .operatorLocal, .anonymous: $0.field("id", String?.none)
            }
            $0.field("name", actor.name)
        }
    }
}
