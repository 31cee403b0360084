internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// The tree of assets: `/api/v1/assets/nodes/`. Filters of applications may name nodes, so every change reloads the policies.
package enum NodesResource {
    package static func routes(_ backend: Backend) -> [Route] {
        reading(backend) + changing(backend)
    }

    private static func reading(_ backend: Backend) -> [Route] {
        [
            Route(.get, "/api/v1/assets/nodes/", .permission(.viewNode), "List nodes", response: schema, style: .list) {
                try await list($0, backend, under: nil)
            },
            Route(.get, "/api/v1/assets/nodes/{id}/", .permission(.viewNode), "Show a node", response: schema) {
                try await get($0, backend)
            },
            Route(
                .get, "/api/v1/assets/nodes/{id}/children/", .permission(.viewNode),
                "List the nodes below a node; all of them with all=1",
                response: schema, style: .list
            ) { try await list($0, backend, under: $0.id(of: Node.self)) },
        ]
    }

    private static func changing(_ backend: Backend) -> [Route] {
        [
            Route(
                .post, "/api/v1/assets/nodes/", .permission(.createNode),
                "Create a node below `parent`, or with all it needs at `full_value`",
                request: schema, response: schema, style: .one(status: 201)
            ) { try await create($0, backend, under: nil) },
            Route(
                .post, "/api/v1/assets/nodes/{id}/children/", .permission(.createNode), "Create a node below a node",
                request: schema,
                response: schema, style: .one(status: 201)
            ) { try await create($0, backend, under: $0.id(of: Node.self)) },
            Route(
                .put, "/api/v1/assets/nodes/{id}/children/add/", .permission(.changeNode), "Move nodes below a node",
                request: Schema("NodesToMove", [.field("nodes", .texts, .required)]), style: .empty
            ) { try await adopt($0, backend) },
            Route(
                .put, "/api/v1/assets/nodes/{id}/", .permission(.changeNode), "Rename or move a node", request: schema,
                response: schema
            ) { try await update($0, backend) },
            Route(
                .patch, "/api/v1/assets/nodes/{id}/", .permission(.changeNode), "Rename or move a node", request: schema,
                response: schema
            ) { try await update($0, backend) },
            Route(.delete, "/api/v1/assets/nodes/{id}/", .permission(.deleteNode), "Delete an empty node", style: .empty) {
                try await delete($0, backend)
            },
        ]
    }

    private static let schema = Schema(
        "Node",
        [
            .field("id", .uuid, .readOnly), .field("key", .text(max: 255), .readOnly), .field("value", .text(max: 128)),
            .field("name", .text(max: 128), .readOnly), .field("full_value", .text(max: 4096)),
            .field("parent", .related), .field("org_id", .uuid, .readOnly), .field("org_name", .text(max: 128), .readOnly),
        ])

    // MARK: - Reading

    /// A node as it is shown.
    struct Shown: Sendable {
        let node: Node
        let path: String
        let parent: String?
        let organization: String
    }

    private static func list(_ call: Call, _ backend: Backend, under parent: NodeID?) async throws -> Reply {
        let page = try Page(call.query)
        var request = try ListRequest<NodeField>(call, page, own: ["all"])
        let isDeep = try call.query.flag("all") ?? false
        let organization = call.organization
        if let parent, !isDeep { request.filters.append(ListFilter(.parent, anyOf: [parent])) }
        let fixed = request
        let (rows, total) = try await backend.view(.viewNode, call) { transaction in
            var request = fixed
            if let parent {
                let stored = try transaction.keys.verified(Nodes.get(parent, in: organization, on: transaction.db))
                if isDeep { request.filters.append(ListFilter(.key, .startsWith(stored.key + ":"))) }
            }
            let found = try Nodes.list(request, in: organization, on: transaction.db)
            try page.requireWhole(found.total)
            let name = try transaction.organizationName(organization)
            var paths = NodePaths(in: organization, transaction)
            return (try transaction.keys.verified(found.rows).map { try shown($0, &paths, name) }, found.total)
        }
        return .list(rows, total: Int(total), page: page, call: call) { row, writer in writer.object { write(row, &$0) } }
    }

    private static func get(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id = try call.id(of: Node.self)
        let organization = call.organization
        let row = try await backend.view(.viewNode, call, objects: [object(id)], naming: { [object($0.node)] }) { transaction in
            try shown(transaction.keys.verified(Nodes.get(id, in: organization, on: transaction.db)), transaction)
        }
        return .object { write(row, &$0) }
    }

    private static func shown(_ node: Node, _ transaction: Transaction) throws -> Shown {
        var paths = NodePaths(in: node.organization, transaction)
        return try shown(node, &paths, transaction.organizationName(node.organization))
    }

    private static func shown(_ node: Node, _ paths: inout NodePaths, _ organization: String) throws -> Shown {
        Shown(
            node: node, path: try paths.path(of: node.id) ?? "", parent: try node.parent.flatMap { try paths.name(of: $0) },
            organization: organization)
    }

    // MARK: - Creating

    private static func create(_ call: Call, _ backend: Backend, under parent: NodeID?) async throws -> Reply {
        let input = try call.body { try NodeInput($0) }
        let organization = call.organization
        let id = NodeID.random()
        let name = input.value ?? input.path?.last ?? ""
        let made = try await backend.change(
            .createNode, call, objects: [object(id, name)], naming: { [object($0.node)] }
        ) { transaction in
            let tree = NodeTreeChange(organization, transaction)
            // A node that the path names is not there; one that the body names is a wrong field.
            if let parent { _ = try transaction.keys.verified(Nodes.get(parent, in: organization, on: transaction.db)) }
            let above = try tree.parent(parent ?? input.parent)
            guard let path = input.path, input.value == nil else {
                return try shown(tree.insert(id, input.value, below: above), transaction)
            }
            return try shown(tree.insert(id, at: path), transaction)
        } then: { _ in
            try await backend.policies.reload()
        }
        return .object(status: 201) { write(made, &$0) }
    }

    // MARK: - Changing

    private static func update(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id = try call.id(of: Node.self)
        let input = try call.body { try NodeInput($0) }
        let organization = call.organization
        let changed = try await backend.change(
            .changeNode, call, objects: [object(id)], naming: { [object($0.node)] }
        ) { transaction in
            let tree = NodeTreeChange(organization, transaction)
            var node = try transaction.keys.verified(Nodes.get(id, in: organization, on: transaction.db))
            if let value = input.value, value != node.value { node = try tree.rename(node, to: value) }
            if let parent = input.parent, parent != node.parent { node = try tree.move(node, below: tree.parent(parent)) }
            return try shown(node, transaction)
        } then: { _ in
            try await backend.policies.reload()
        }
        return .object { write(changed, &$0) }
    }

    private static func adopt(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id = try call.id(of: Node.self)
        let organization = call.organization
        let nodes = try call.body { body in
            try body.finish(body.required("nodes", .list(of: JSONRule<NodeID>.related(), max: 100)))
        }
        _ = try await backend.change(.changeNode, call, objects: nodes.map { object($0) } + [object(id)]) { transaction in
            let tree = NodeTreeChange(organization, transaction)
            var count = 0
            for node in nodes {
                let stored = try transaction.keys.verified(Nodes.get(node, in: organization, on: transaction.db))
                let parent = try transaction.keys.verified(Nodes.get(id, in: organization, on: transaction.db))
                guard stored.parent != id else { continue }
                count += try tree.requireMovable(stored, after: count)
                _ = try tree.move(stored, below: parent)
            }
        } then: { _ in
            try await backend.policies.reload()
        }
        return .empty
    }

    private static func delete(_ call: Call, _ backend: Backend) async throws -> Reply {
        let id = try call.id(of: Node.self)
        let organization = call.organization
        _ = try await backend.change(.deleteNode, call, objects: [object(id)], naming: { [object($0)] }) { transaction in
            guard let stored = try Nodes.get(id, in: organization, on: transaction.db) else { throw Refusal.notFound }
            guard stored.value.parent != nil else { throw Refusal.conflict("The root of the tree cannot be deleted.") }
            do {
                guard try Nodes.delete(id, in: organization, on: transaction.db) else { throw Refusal.notFound }
            } catch StorageFault.constraint(.foreignKey, _) {
                throw Refusal.conflict("The node still has nodes or assets in it.")
            }
            return stored.value
        } then: { _ in
            try await backend.policies.reload()
        }
        return .empty
    }

    // MARK: - Form

    private static func object(_ node: Node) -> AuditObject { object(node.id, node.value) }

    private static func object(_ id: NodeID, _ name: String = "") -> AuditObject {
        AuditObject(kind: "node", id: id.description, name: name)
    }

    private static func write(_ row: Shown, _ writer: inout JSONWriter<[UInt8]>) {
        writer.field("id", row.node.id)
        writer.field("key", row.node.key)
        writer.field("value", row.node.value)
        writer.field("name", row.node.value)
        writer.field("full_value", row.path)
        if let parent = row.node.parent {
            writer.related("parent", parent, named: row.parent ?? "")
        } else {
            writer.field("parent", nil as String?)
        }
        writer.field("org_id", row.node.organization)
        writer.field("org_name", row.organization)
    }
}
