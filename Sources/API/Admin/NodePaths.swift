internal import Domain
internal import Storage

/// Names and full paths of nodes for showing, read as they are asked for and kept for one transaction.
struct NodePaths {
    private let organization: OrganizationID
    private let db: any SQLConnection
    private var nodes: [NodeID: Node] = [:]
    private var paths: [NodeID: String] = [:]

    /// Levels of a tree at most.
    static let depth = 32

    init(in organization: OrganizationID, on db: any SQLConnection) {
        self.organization = organization
        self.db = db
    }

    /// `/Default/web/front`; nil for a node that is not there.
    mutating func path(of id: NodeID) throws -> String? {
        if let known = paths[id] { return known }
        var names: [String] = []
        var next: NodeID? = id
        // Bounded, since stored parents might form a ring.
        while let current = next, names.count <= Self.depth {
            guard let node = try node(current) else { break }
            names.append(node.value)
            next = node.parent
        }
        guard !names.isEmpty else { return nil }
        let path = names.reversed().map { "/" + $0 }.joined()
        paths[id] = path
        return path
    }

    mutating func name(of id: NodeID) throws -> String? { try node(id)?.value }

    private mutating func node(_ id: NodeID) throws -> Node? {
        if let known = nodes[id] { return known }
        let found = try Nodes.get(id, in: organization, on: db)?.value
        nodes[id] = found
        return found
    }
}

extension NodePaths {
    /// The node at a full path, as it was shown; nil if there is none.
    static func node(at path: String, in organization: OrganizationID, on db: any SQLConnection) throws -> Node? {
        let names = path.split(separator: "/", omittingEmptySubsequences: true).map { String($0) }
        guard let first = names.first, names.count <= depth, let root = try Nodes.root(in: organization, on: db),
            root.value.value == first
        else { return nil }
        var node = root.value
        for name in names.dropFirst() {
            guard let child = try Nodes.child(named: name, of: node.id, in: organization, on: db) else { return nil }
            node = child.value
        }
        return node
    }
}
