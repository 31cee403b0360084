internal import Domain
internal import JSON
internal import Storage

/// A label as a body names it: `name:value`, an id, or an object with either.
enum LabelReference: Sendable, Hashable {
    case id(LabelID)
    case named(String, value: String)

    init?(_ text: String) {
        if let id = LabelID(text) {
            self = .id(id)
            return
        }
        guard let colon = text.firstIndex(of: ":") else { return nil }
        self = .named(String(text[..<colon]), value: String(text[text.index(after: colon)...]))
    }

    /// The ids that the references mean, sorted; one that means no label of the organization is a refusal of the field.
    static func resolve(
        _ references: [LabelReference], in organization: OrganizationID, on db: any SQLConnection
    ) throws -> [LabelID] {
        var ids: Set<LabelID> = []
        for reference in references {
            let found =
                switch reference {
                case .id(let id): try Labels.get(id, in: organization, on: db)
                case .named(let name, let value): try Labels.get(named: name, value: value, in: organization, on: db)
                }
            guard let label = found?.value else { throw Refusal.invalid("labels", "There is no such label.") }
            ids.insert(label.id)
        }
        return ids.sorted()
    }

    /// How labels are shown: `name:value` by id.
    static func names(
        of ids: Set<LabelID>, in organization: OrganizationID, on db: any SQLConnection
    ) throws -> [LabelID: String] {
        var names: [LabelID: String] = [:]
        let all = ids.sorted()
        for start in stride(from: 0, to: all.count, by: 500) {
            let some = Array(all[start..<min(start + 500, all.count)])
            let request = ListRequest<LabelField>(filters: [ListFilter(.id, anyOf: some)], limit: Int64(some.count))
            for row in try Labels.list(request, in: organization, on: db).rows {
                names[row.value.id] = "\(row.value.name):\(row.value.value)"
            }
        }
        return names
    }
}

extension JSONRule where Value == LabelReference {
    static var label: JSONRule {
        JSONRule { json throws(JSONFieldErrors) in
            if json.kind == .object, let id = json["pk"] ?? json["id"] { return .id(try JSONRule<LabelID>.id().read(id)) }
            if json.kind == .object, let name = json["name"]?.string, let value = json["value"]?.string {
                return .named(name, value: value)
            }
            guard let count = json.unescapedCount, count <= 512, let label = json.string.flatMap({ LabelReference($0) }) else {
                throw .value("Expected a label as \"name:value\", an id, or an object with its id.")
            }
            return label
        }
    }
}
