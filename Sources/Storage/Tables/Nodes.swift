package import Domain

/// The tree of an organization's assets.
package enum Nodes {
    package static func get(
        _ id: NodeID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Node>? {
        try connection.first(
            "SELECT id, org_id, key, value, parent_id, mac FROM nodes WHERE org_id = ? AND id = ?", [.id(organization), .id(id)],
            decode)
    }

    /// The top of the tree; nil in an organization that is being deleted.
    package static func root(in organization: OrganizationID, on connection: any SQLConnection) throws -> Authenticated<Node>? {
        try connection.first(
            "SELECT id, org_id, key, value, parent_id, mac FROM nodes WHERE org_id = ? AND parent_id IS NULL ORDER BY key",
            [.id(organization)], decode)
    }

    /// A child of a node by the name shown.
    package static func child(
        named value: String, of parent: NodeID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> Authenticated<Node>? {
        try connection.first(
            "SELECT id, org_id, key, value, parent_id, mac FROM nodes WHERE org_id = ? AND parent_id = ? AND value = ?",
            [.id(organization), .id(parent), .text(value)], decode)
    }

    /// The node itself and all below it by its key, shallowest first; at most `limit`.
    package static func subtree(
        under key: String, in organization: OrganizationID, limit: Int64, on connection: any SQLConnection
    ) throws -> [Authenticated<Node>] {
        try connection.query(
            """
            SELECT id, org_id, key, value, parent_id, mac FROM nodes
            WHERE org_id = ? AND (key = ? OR (key > ? AND key < ?)) ORDER BY length(key), key LIMIT ?
            """,
            // ";" is the character after ":", so this is every key that begins with this one and a colon.
            [.id(organization), .text(key), .text(key + ":"), .text(key + ";"), .integer(limit)], decode)
    }

    /// A key that no node has, below the parent's.
    package static func freeKey(
        below parent: Node, on connection: any SQLConnection
    ) throws -> String {
        var number = try connection.integer(
            "SELECT COUNT(*) FROM nodes WHERE org_id = ? AND parent_id = ?", [.id(parent.organization), .id(parent.id)])
        while true {
            number += 1
            let key = "\(parent.key):\(number)"
            let isTaken = try connection.exists(
                "SELECT 1 FROM nodes WHERE org_id = ? AND key = ?", [.id(parent.organization), .text(key)])
            if !isTaken { return key }
        }
    }

    /// The whole tree, by key.
    package static func all(
        in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [Authenticated<Node>] {
        try connection.query(
            "SELECT id, org_id, key, value, parent_id, mac FROM nodes WHERE org_id = ? ORDER BY key", [.id(organization)], decode)
    }

    package static func children(
        of parent: NodeID, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> [Authenticated<Node>] {
        try connection.query(
            "SELECT id, org_id, key, value, parent_id, mac FROM nodes WHERE org_id = ? AND parent_id = ? ORDER BY key",
            [.id(organization), .id(parent)], decode)
    }

    /// Refused (`.constraint(.foreignKey, …)`) when the parent is not in the same organization.
    package static func insert(_ row: Authenticated<Node>, on connection: any SQLConnection) throws {
        let value = row.value
        try checkParent(value, on: connection)
        try connection.execute(
            "INSERT INTO nodes (id, org_id, key, value, parent_id, mac) VALUES (?, ?, ?, ?, ?, ?)",
            [.id(value.id), .id(value.organization), .text(value.key), .text(value.value), .id(value.parent), .blob(row.mac)])
    }

    /// False if there is none of that id in the organization.
    package static func update(_ row: Authenticated<Node>, on connection: any SQLConnection) throws -> Bool {
        let value = row.value
        try checkParent(value, on: connection)
        return try connection.execute(
            "UPDATE nodes SET key = ?, value = ?, parent_id = ?, mac = ? WHERE org_id = ? AND id = ?",
            [.text(value.key), .text(value.value), .id(value.parent), .blob(row.mac), .id(value.organization), .id(value.id)]) > 0
    }

    /// False if there is none; refused (`.constraint(.foreignKey, …)`) while it has children or holds assets.
    package static func delete(_ id: NodeID, in organization: OrganizationID, on connection: any SQLConnection) throws -> Bool {
        let isParent = try connection.exists(
            "SELECT 1 FROM nodes WHERE org_id = ? AND parent_id = ?", [.id(organization), .id(id)])
        if isParent { throw StorageFault.constraint(.foreignKey, columns: "nodes.parent_id") }
        return try connection.execute("DELETE FROM nodes WHERE org_id = ? AND id = ?", [.id(organization), .id(id)]) > 0
    }

    private static func checkParent(_ node: Node, on connection: any SQLConnection) throws {
        guard let parent = node.parent else { return }
        try References.require(
            "SELECT 1 FROM nodes WHERE org_id = ? AND id = ?", parent, in: node.organization, "nodes.parent_id", on: connection)
    }

    static func decode(_ row: borrowing SQLRow) throws -> Authenticated<Node> {
        Authenticated(
            value: Node(
                id: try row.id(0), organization: try row.id(1), key: try row.text(2), value: try row.text(3),
                parent: try row.idOrNil(4)),
            mac: try row.blob(5))
    }
}

// MARK: - List

/// What the list of nodes is filtered and ordered by.
package enum NodeField: String, ListField {
    case id, key, value
    case parent = "parent_id"

    package var column: ListColumn {
        switch self {
        case .id: ListColumn(.id, "id")
        case .key: ListColumn(.text, "key")
        case .value: ListColumn(.text, "value")
        case .parent: ListColumn(.id, "parent_id")
        }
    }
}

extension Nodes {
    package static func list(
        _ request: ListRequest<NodeField>, in organization: OrganizationID, on connection: any SQLConnection
    ) throws -> ListPage<Authenticated<Node>> {
        try statement.run(request, scope: [.id(organization)], on: connection, decode)
    }

    private static let statement = ListStatement(
        select: SQLQuery("SELECT id, org_id, key, value, parent_id, mac"), from: "FROM nodes", join: "", scope: "org_id = ?",
        searched: [NodeField.value.column], order: "key, id")
}
