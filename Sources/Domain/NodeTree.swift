/// The nodes of one organization, for asking which lie below which.
package struct NodeTree: Sendable {
    private let children: [NodeID: [NodeID]]

    package init(_ nodes: [Node]) {
        children = nodes.reduce(into: [:]) { children, node in
            if let parent = node.parent { children[parent, default: []].append(node.id) }
        }
    }

    /// The node itself and everything below it. Ends also where stored parents form a ring.
    package func descendants(of node: NodeID) -> Set<NodeID> {
        var found: Set<NodeID> = [node]
        var waiting = [node]
        while let next = waiting.popLast() {
            for child in children[next] ?? [] where found.insert(child).inserted { waiting.append(child) }
        }
        return found
    }
}
