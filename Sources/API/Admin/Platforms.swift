internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// The kinds of systems: `/api/v1/assets/platforms/`. They are built in, so that the resource only reads.
package enum PlatformsResource {
    package static func routes(_ backend: Backend) -> [Route] {
        [
            Route(.get, "/api/v1/assets/platforms/", .permission(.viewPlatform), "List platforms", response: schema, style: .list)
            {
                try await list($0, backend)
            },
            Route(.get, "/api/v1/assets/platforms/{id}/", .permission(.viewPlatform), "Show a platform", response: schema) {
                try await get($0, backend)
            },
        ]
    }

    private static let schema = Schema(
        "Platform",
        [
            .field("id", .integer, .readOnly), .field("name", .text(max: 50), .readOnly),
            .field("category", .choice(Platform.Category.allCases.map(\.rawValue)), .readOnly),
            .field("type", .choice(Platform.types), .readOnly), .field("charset", .choice(["utf-8"]), .readOnly),
            .field(
                "protocols",
                .list(of: [
                    .field("name", .text(max: 32)), .field("port", .integer), .field("primary", .boolean),
                    .field("required", .boolean), .field("default", .boolean), .field("public", .boolean),
                    .field("setting", .anyObject),
                ]), .readOnly),
            .field("su_enabled", .boolean, .readOnly), .field("su_method", .text(max: 32), .readOnly),
            .field("gateway_enabled", .boolean, .readOnly), .field("internal", .boolean, .readOnly),
            .field("comment", .text(max: 128), .readOnly),
        ])

    private static let listed = ShortList<Platform>(fields: [
        .integer("id") { Int64($0.id.rawValue) }, .text("name", searched: true, \.name),
        .text("category") { $0.category.rawValue },
        .text("type", \.type),
    ])

    private static func list(_ call: Call, _ backend: Backend) async throws -> Reply {
        let page = try Page(call.query)
        let found = try listed.matching(Platform.all, call, page)
        try await backend.gate.view(.viewPlatform, as: call.principal(), in: call.organization, from: call.origin) { _ in
            .init(())
        }
        return .list(page.cut(found), total: found.count, page: page, call: call) { row, writer in
            writer.object { write(row, &$0) }
        }
    }

    private static func get(_ call: Call, _ backend: Backend) async throws -> Reply {
        let text = call.parameters["id"] ?? ""
        let platform = Int(text).flatMap { Platform.named(Platform.ID(rawValue: $0)) }
        let objects = [AuditObject(kind: "platform", id: String(text.prefix(16)), name: platform?.name ?? "")]
        let found = try await backend.gate.view(.viewPlatform, as: call.principal(), in: call.organization, from: call.origin) {
            _ in
            guard let platform else { throw Refusal.notFound }
            return .init(platform, objects: objects)
        }
        return .object { write(found, &$0) }
    }

    private static func write(_ platform: Platform, _ writer: inout JSONWriter<[UInt8]>) {
        writer.field("id", platform.id.rawValue)
        writer.field("name", platform.name)
        writer.choice("category", value: platform.category.rawValue, label: platform.category.label)
        writer.choice("type", value: platform.type, label: platform.type)
        writer.choice("charset", value: "utf-8", label: "UTF-8")
        writer.array("protocols") { writer in
            for (place, item) in platform.protocols.enumerated() {
                writer.object {
                    $0.field("name", item.name)
                    $0.field("port", item.port)
                    $0.field("primary", place == 0)
                    $0.field("required", place == 0)
                    $0.field("default", true)
                    $0.field("public", true)
                    $0.object("setting") { _ in }
                }
            }
        }
        writer.field("su_enabled", platform.suMethod != nil)
        writer.field("su_method", platform.suMethod)
        writer.field("gateway_enabled", [.host, .database, .device].contains(platform.category))
        writer.field("internal", true)
        writer.field("comment", "")
    }
}

extension Platform {
    /// Every type that there is, for the description of the API.
    static let types = Set(all.map(\.type)).sorted()
}

extension Platform.Category {
    /// What people read.
    var label: String {
        switch self {
        case .host: "Host"
        case .device: "Device"
        case .database: "Database"
        case .cloud: "Cloud service"
        case .web: "Web"
        case .ds: "Directory service"
        case .custom: "Custom type"
        }
    }
}
