internal import Access
internal import Domain
internal import JSON
internal import Storage

/// What a body says about a node; nil for what it leaves out.
struct NodeInput {
    let value: String?
    /// Names from the root, without it.
    let path: [String]?
    let parent: NodeID?

    init(_ body: JSONObjectReader) throws {
        value = body.optional("value", Self.name)
        parent = body.nullable("parent", .related(.id()))
        path = body.optional(
            "full_value",
            JSONRule<String>.text(max: 4096).then("Expected a path such as /Default/web.") { text in
                let names = text.split(separator: "/", omittingEmptySubsequences: true).map { String($0) }
                return text.hasPrefix("/") && (1...NodePaths.depth).contains(names.count) ? names : nil
            })
        body.ignore("id", "key", "name", "org_id", "org_name")
        try body.finish()
    }

    static var name: JSONRule<String> {
        JSONRule<String>.text(max: 128).then("Must not contain a slash.") { $0.utf8.contains(UInt8(ascii: "/")) ? nil : $0 }
    }
}

/// Changes of an organization's tree, which keep each node's key below its parent's.
struct NodeTreeChange {
    private let organization: OrganizationID
    private let transaction: Transaction
    private var db: any SQLConnection { transaction.db }

    /// Nodes that move at once at most, each being a row that is authenticated anew in one transaction.
    static let largestMove = 500

    init(_ organization: OrganizationID, _ transaction: Transaction) {
        self.organization = organization
        self.transaction = transaction
    }

    /// The node to put something under: the one named, or else the root.
    func parent(_ id: NodeID?) throws -> Node {
        guard let id else { return try transaction.keys.verified(Nodes.root(in: organization, on: db)) }
        do {
            return try transaction.keys.verified(Nodes.get(id, in: organization, on: db))
        } catch Refusal.notFound {
            throw Refusal.invalid("parent", "There is no such node.")
        }
    }

    /// A new node; without a name it gets one.
    func insert(_ id: NodeID, _ name: String?, below parent: Node) throws -> Node {
        try requireDepth(below: parent, levels: 1)
        let value = try name ?? freeName(below: parent)
        try requireFree(value, below: parent)
        let node = Node(
            id: id, organization: organization, key: try Nodes.freeKey(below: parent, on: db), value: value, parent: parent.id)
        try Nodes.insert(transaction.keys.authenticated(node), on: db)
        return node
    }

    /// The node at a full path, with every node that is missing on the way; the last one must not be there.
    func insert(_ id: NodeID, at path: [String]) throws -> Node {
        var above = try transaction.keys.verified(Nodes.root(in: organization, on: db))
        guard path.first == above.value else { throw Refusal.invalid("full_value", "The path must begin with /\(above.value).") }
        guard path.count > 1, let last = path.last else { throw Refusal.invalid("full_value", "There is such a node already.") }
        guard path.allSatisfy({ $0.unicodeScalars.count <= 128 }) else {
            throw Refusal.invalid("full_value", "Ensure that no name has more than 128 characters.")
        }
        for name in path.dropFirst().dropLast() {
            if let child = try Nodes.child(named: name, of: above.id, in: organization, on: db) {
                above = try transaction.keys.verified(child)
            } else {
                above = try insert(.random(), name, below: above)
            }
        }
        return try insert(id, last, below: above)
    }

    func rename(_ node: Node, to name: String) throws -> Node {
        guard let parent = node.parent else { throw Refusal.conflict("The root is called like its organization; rename that.") }
        try requireFree(name, below: self.parent(parent))
        var renamed = node
        renamed.value = name
        try update(renamed)
        return renamed
    }

    /// Puts a node with all below it under another parent; their keys follow.
    func move(_ node: Node, below parent: Node) throws -> Node {
        guard node.parent != nil else { throw Refusal.conflict("The root of the tree cannot be moved.") }
        guard parent.id != node.id, !parent.key.hasPrefix(node.key + ":") else {
            throw Refusal.invalid("parent", "A node cannot be moved below itself.")
        }
        try requireFree(node.value, below: parent)
        let subtree = try Nodes.subtree(under: node.key, in: organization, limit: Int64(Self.largestMove), on: db)
        try requireMovable(node, after: 0)
        let height = subtree.map { Self.level($0.value.key) }.max() ?? 0
        try requireDepth(below: parent, levels: height - Self.level(node.key) + 1)
        let key = try Nodes.freeKey(below: parent, on: db)
        var moved = node
        for stored in subtree {
            var child = try transaction.keys.verified(stored)
            child.key = key + child.key.dropFirst(node.key.count)
            if child.id == node.id {
                child.parent = parent.id
                moved = child
            }
            try update(child)
        }
        return moved
    }

    // MARK: - Rules

    /// How many nodes move with this one, refused where that is too many for a transaction in which `count` moved already.
    @discardableResult
    func requireMovable(_ node: Node, after count: Int) throws -> Int {
        let size = try Nodes.subtree(under: node.key, in: organization, limit: Int64(Self.largestMove) + 1, on: db).count
        guard count + size <= Self.largestMove else {
            throw Refusal.conflict(
                "More than \(Self.largestMove) nodes would move at once; move the nodes below one after another.")
        }
        return size
    }

    private func update(_ node: Node) throws {
        guard try Nodes.update(transaction.keys.authenticated(node), on: db) else { throw Refusal.notFound }
    }

    private func requireFree(_ name: String, below parent: Node) throws {
        if try Nodes.child(named: name, of: parent.id, in: organization, on: db) != nil {
            throw Refusal.invalid("value", "The same level node name cannot be the same.")
        }
    }

    private func requireDepth(below parent: Node, levels: Int) throws(Refusal) {
        guard Self.level(parent.key) + levels <= NodePaths.depth else {
            throw .invalid("parent", "The tree may have \(NodePaths.depth) levels at most.")
        }
    }

    private func freeName(below parent: Node) throws -> String {
        for number in 1...1000 {
            let name = number == 1 ? "New node" : "New node \(number)"
            if try Nodes.child(named: name, of: parent.id, in: organization, on: db) == nil { return name }
        }
        throw Refusal.invalid("value", "This field is required.")
    }

    private static func level(_ key: String) -> Int { key.utf8.count { $0 == UInt8(ascii: ":") } + 1 }
}
