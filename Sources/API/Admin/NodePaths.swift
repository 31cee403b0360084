internal import Access
internal import Domain
internal import Storage

/// Names and full paths of nodes for showing, read as they are asked for and kept for one transaction.
struct NodePaths {
    private let organization: OrganizationID
    private let transaction: Transaction
    private var nodes: [NodeID: Node] = [:]
    private var paths: [NodeID: String] = [:]

    /// Levels of a tree at most.
    static let depth = 32

    init(in organization: OrganizationID, _ transaction: Transaction) {
        self.organization = organization
        self.transaction = transaction
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
        guard let stored = try Nodes.get(id, in: organization, on: transaction.db) else { return nil }
        let node = try transaction.keys.verified(stored)
        nodes[id] = node
        return node
    }
}

extension NodePaths {
    /// The node at a full path, as it was shown; nil if there is none.
    static func node(at path: String, in organization: OrganizationID, _ transaction: Transaction) throws -> Node? {
        let (db, keys) = (transaction.db, transaction.keys)
        let names = path.split(separator: "/", omittingEmptySubsequences: true).map { String($0) }
        guard let first = names.first, names.count <= depth, let stored = try Nodes.root(in: organization, on: db)
        else { return nil }
        var node = try keys.verified(stored)
        guard node.value == first else { return nil }
        for name in names.dropFirst() {
            guard let child = try Nodes.child(named: name, of: node.id, in: organization, on: db) else { return nil }
            node = try keys.verified(child)
        }
        return node
    }
}
