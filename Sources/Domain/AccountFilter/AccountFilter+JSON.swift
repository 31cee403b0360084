package import JSON

// The wire form: read strictly, because what is not understood would widen what an application sees.

extension AccountFilter {
    package init(_ json: JSONValue) throws(AccountFilterFault) {
        guard json.kind == .object else { throw AccountFilterFault("The account filter must be an object.") }
        guard let type = json["type"]?.string else {
            throw AccountFilterFault("The account filter needs a 'type': all, ids or attrs.")
        }
        guard ["all", "ids", "attrs"].contains(type) else {
            throw AccountFilterFault("Unknown filter type \(AccountFilterFault.quoted(type)): use all, ids or attrs.")
        }
        try Self.refuseForeign(json, type)
        switch type {
        case "ids": self.init(.ids(try Self.accountIDs(json["ids"])))
        case "attrs": self.init(.attributes(try Self.rules(json["attrs"])))
        default: self.init(.all)
        }
    }

    /// From the stored text.
    package init(text: String) throws(AccountFilterFault) {
        let json: JSONValue
        do {
            json = try JSONDocument.parse(text)
        } catch {
            throw AccountFilterFault("The account filter is not JSON: \(error).")
        }
        try self.init(json)
    }

    /// The filter as a field of a request body.
    package static var rule: JSONRule<AccountFilter> {
        JSONRule { json throws(JSONFieldErrors) in
            do throws(AccountFilterFault) {
                return try AccountFilter(json)
            } catch {
                throw .value(error.description)
            }
        }
    }

    /// Members of the other types are harmless only while they are empty.
    private static func refuseForeign(_ json: JSONValue, _ type: String) throws(AccountFilterFault) {
        guard let members = json.object else { return }
        for member in members where member.name != "type" && member.name != type {
            let isKnown = member.name == "ids" || member.name == "attrs"
            guard isKnown, member.value.isNull || (member.value.array != nil && member.value.count == 0) else {
                throw AccountFilterFault("A filter of type '\(type)' has no member \(AccountFilterFault.quoted(member.name)).")
            }
        }
    }

    private static func accountIDs(_ json: JSONValue?) throws(AccountFilterFault) -> [AccountID] {
        guard let json, let array = json.array, json.count > 0 else {
            throw AccountFilterFault("A filter of type 'ids' needs a list 'ids' that is not empty.")
        }
        guard json.count <= maximumValues else { throw AccountFilterFault("'ids' has more than \(maximumValues) entries.") }
        var ids: [AccountID] = []
        ids.reserveCapacity(json.count)
        for (index, element) in array.enumerated() {
            guard let id = element.identifier.flatMap({ AccountID($0) }) else {
                throw AccountFilterFault("ids[\(index)] is not a valid UUID.")
            }
            ids.append(id)
        }
        return ids
    }

    private static func rules(_ json: JSONValue?) throws(AccountFilterFault) -> [AccountRule] {
        guard let json, let array = json.array, json.count > 0 else {
            throw AccountFilterFault("A filter of type 'attrs' needs a list 'attrs' that is not empty.")
        }
        guard json.count <= maximumRules else { throw AccountFilterFault("'attrs' has more than \(maximumRules) rules.") }
        var rules: [AccountRule] = []
        for (index, element) in array.enumerated() {
            do throws(AccountFilterFault) {
                rules.append(try AccountRule(element))
            } catch {
                throw AccountFilterFault("attrs[\(index)]: \(error)")
            }
        }
        return rules
    }
}

extension JSONValue {
    /// The text of an id: a string, or an object's `id` or `pk`.
    var identifier: String? {
        let bare = kind == .object ? self["id"] ?? self["pk"] : self
        guard let bare, let count = bare.unescapedCount, count <= 64 else { return nil }
        return bare.string
    }
}

// MARK: - Writing

extension AccountFilter {
    package func write(to writer: inout JSONWriter<some JSONSink>) {
        writer.object {
            switch selection {
            case .all:
                $0.field("type", "all")
            case .ids(let ids):
                $0.field("type", "ids")
                $0.array("ids") { for id in ids { $0.string(id.description) } }
            case .attributes(let rules):
                $0.field("type", "attrs")
                $0.array("attrs") { for rule in rules { rule.write(to: &$0) } }
            }
        }
    }

    /// The text that is stored.
    package var text: String {
        var writer = JSONWriter()
        write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension AccountRule {
    func write(to writer: inout JSONWriter<some JSONSink>) {
        writer.object {
            $0.field("name", name)
            $0.field("match", match.rawValue)
            $0.key("value")
            value.write(to: &$0)
            $0.field("rel", "and")
        }
    }
}

extension AccountRuleValue {
    func write(to writer: inout JSONWriter<some JSONSink>) {
        switch self {
        case .flag(let flag): writer.bool(flag)
        case .text(let text): writer.string(text)
        case .anything(let isList): Self.write(["*"], isList, to: &writer) { $1.string($0) }
        case .texts(let texts): Self.write(texts, true, to: &writer) { $1.string($0) }
        case .platforms(let ids, let isList): Self.write(ids, isList, to: &writer) { $1.int($0.rawValue) }
        case .ids(let ids, let isList): Self.write(ids, isList, to: &writer) { $1.string($0.description) }
        }
    }

    private static func write<Element, Sink: JSONSink>(
        _ elements: [Element], _ isList: Bool, to writer: inout JSONWriter<Sink>,
        _ one: (Element, inout JSONWriter<Sink>) -> Void
    ) {
        if isList {
            writer.array { for element in elements { one(element, &$0) } }
        } else if let element = elements.first {
            one(element, &writer)
        }
    }
}
