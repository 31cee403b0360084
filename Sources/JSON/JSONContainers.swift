/// The elements of an array, in order; going through all of them costs time in proportion to their number.
package struct JSONElements: Sequence, IteratorProtocol {
    private let document: JSONDocument
    private var index: Int
    private var remaining: Int

    init(_ array: JSONValue) {
        document = array.document
        index = array.index + 1
        remaining = Int(array.token.count)
    }

    package var underestimatedCount: Int { remaining }

    package mutating func next() -> JSONValue? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        let element = JSONValue(document, index)
        index = Int(element.token.next)
        return element
    }
}

/// One key of an object with its value.
package struct JSONMember: Sendable {
    /// The key as a string value.
    package let key: JSONValue
    package let value: JSONValue

    package var name: String { key.string ?? "" }
}

/// The members of an object, in the order of the text; no key occurs twice.
package struct JSONMembers: Sequence, IteratorProtocol {
    private let document: JSONDocument
    private var index: Int
    private var remaining: Int

    init(_ object: JSONValue) {
        document = object.document
        index = object.index + 1
        remaining = Int(object.token.count)
    }

    package var underestimatedCount: Int { remaining }

    package mutating func next() -> JSONMember? {
        guard remaining > 0 else { return nil }
        remaining -= 1
        let value = JSONValue(document, index + 1)
        defer { index = Int(value.token.next) }
        return JSONMember(key: JSONValue(document, index), value: value)
    }
}

extension JSONValue {
    /// Elements of an array or members of an object; zero for scalars.
    package var count: Int { Int(token.count) }

    /// The elements, if this is an array.
    package var array: JSONElements? { token.kind == .array ? JSONElements(self) : nil }

    /// The members, if this is an object.
    package var object: JSONMembers? { token.kind == .object ? JSONMembers(self) : nil }

    /// The value of a key, found by going through the members; nil if this is no object or has no such key.
    package subscript(key: String) -> JSONValue? {
        guard var members = object else { return nil }
        while let member = members.next() {
            if member.key.isString(key) { return member.value }
        }
        return nil
    }
}
