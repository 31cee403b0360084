internal import Access
internal import Domain
internal import JSON
internal import Storage

/// A label as a body names it: by its id, or by name and value.
enum LabelReference: Sendable, Hashable {
    case id(LabelID)
    case pair(name: String, value: String)
}

extension JSONRule where Value == LabelReference {
    /// `"name:value"`, an id, or an object with `id`, `pk`, or `name` and `value`.
    static var label: JSONRule {
        JSONRule { json throws(JSONFieldErrors) in
            guard json.kind == .object else {
                return try JSONRule<String>.text(max: 160).then("Expected \"name:value\" or an id.") { parse($0) }.read(json)
            }
            if let id = json["id"] ?? json["pk"] { return .id(try JSONRule<LabelID>.id().read(id)) }
            guard let name = json["name"]?.string, !name.utf8.contains(UInt8(ascii: ":")), let value = json["value"]?.string,
                let label = parse(name + ":" + value)
            else { throw .value("Expected an id, or name and value.") }
            return label
        }
    }

    private static func parse(_ text: String) -> LabelReference? {
        if let id = LabelID(text) { return .id(id) }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.unicodeScalars.count <= 64 && !$0.utf8.contains(0) }) else {
            return nil
        }
        return .pair(name: parts[0], value: parts[1])
    }
}

extension JSONRule where Value == [LabelReference] {
    /// The labels of one thing.
    static var labels: JSONRule { .list(of: .label, max: 50) }
}

/// Finds the labels that bodies name, and makes those that are not there yet, as JumpServer does.
struct LabelResolver {
    private let organization: OrganizationID
    private let transaction: Transaction
    private let mayCreate: Bool
    /// The labels that were made.
    private(set) var made: [Label] = []

    /// Only who may create labels creates one by naming it.
    init(_ organization: OrganizationID, _ transaction: Transaction, for principal: Principal) {
        self.organization = organization
        self.transaction = transaction
        mayCreate = principal.permissions.contains(.createLabel)
    }

    /// Ids in their order, each once.
    mutating func resolve(_ references: [LabelReference]) throws -> [LabelID] {
        var ids: Set<LabelID> = []
        for reference in references { ids.insert(try resolve(reference)) }
        return ids.sorted()
    }

    private mutating func resolve(_ reference: LabelReference) throws -> LabelID {
        let db = transaction.db
        switch reference {
        case .id(let id):
            guard try Labels.get(id, in: organization, on: db) != nil else {
                throw Refusal.invalid("labels", "There is no label \(id).")
            }
            return id
        case .pair(let name, let value):
            if let found = try Labels.get(named: name, value: value, in: organization, on: db) {
                return try transaction.keys.verified(found).id
            }
            guard mayCreate else { throw Refusal.invalid("labels", "There is no such label.") }
            let label = Label(id: .random(), organization: organization, name: name, value: value, dateCreated: transaction.now)
            try Labels.insert(transaction.keys.authenticated(label), on: db)
            made.append(label)
            return label.id
        }
    }
}

/// Labels for showing, `name:value`, read as they are asked for and kept for one transaction.
struct LabelTexts {
    private let organization: OrganizationID
    private let transaction: Transaction
    private var texts: [LabelID: String] = [:]

    init(in organization: OrganizationID, _ transaction: Transaction) {
        self.organization = organization
        self.transaction = transaction
    }

    /// Sorted; a label that is not there is left out.
    mutating func texts(of ids: [LabelID]) throws -> [String] {
        try ids.compactMap { try text(of: $0) }.sorted()
    }

    private mutating func text(of id: LabelID) throws -> String? {
        if let known = texts[id] { return known }
        guard let stored = try Labels.get(id, in: organization, on: transaction.db) else { return nil }
        let label = try transaction.keys.verified(stored)
        let text = "\(label.name):\(label.value)"
        texts[id] = text
        return text
    }
}
