import JSON

// Reading one rule: the field decides which operators it takes, and the two decide how the value must look.

extension AccountRule {
    init(_ json: JSONValue) throws(AccountFilterFault) {
        guard let members = json.object else { throw AccountFilterFault("A rule must be an object.") }
        for member in members where !["name", "match", "value", "rel"].contains(member.name) {
            throw AccountFilterFault("Unknown member \(AccountFilterFault.quoted(member.name)).")
        }
        guard let name = json["name"]?.string else { throw AccountFilterFault("A rule needs a 'name'.") }
        guard let field = AccountFilterField.named(name) else {
            throw AccountFilterFault("Unknown field \(AccountFilterFault.quoted(name)).")
        }
        if let rel = json["rel"], !rel.isNull, !rel.isString("and") {
            throw AccountFilterFault("Rules are always joined by 'and'.")
        }
        guard let value = json["value"], !value.isNull else { throw AccountFilterFault("The rule on '\(name)' needs a 'value'.") }
        let match = try Self.match(json["match"], on: field, name)
        let reading = RuleReading(field: field, match: match, place: "'\(name)' with '\(match.rawValue)'")
        self.init(name: name, field: field, match: match, value: try reading.value(value))
    }

    private static func match(
        _ json: JSONValue?, on field: AccountFilterField, _ name: String
    ) throws(AccountFilterFault) -> AccountMatch {
        guard let json else { return field.kind == .related ? .anyOf : .exact }
        guard let text = json.string else { throw AccountFilterFault("'match' must be the name of an operator.") }
        guard text != "regex" else {
            throw AccountFilterFault("The operator 'regex' is not supported: use contains, startswith, endswith or in.")
        }
        guard let match = AccountMatch(rawValue: text) else {
            throw AccountFilterFault("Unknown operator \(AccountFilterFault.quoted(text)).")
        }
        guard field.matches.contains(match) else {
            let possible = field.matches.map(\.rawValue).joined(separator: ", ")
            throw AccountFilterFault("The operator '\(text)' does not apply to '\(name)': use \(possible).")
        }
        return match
    }
}

/// Reads the value of a rule whose field and operator are known to fit.
private struct RuleReading {
    let field: AccountFilterField
    let match: AccountMatch
    /// What messages call the rule.
    let place: String

    func value(_ json: JSONValue) throws(AccountFilterFault) -> AccountRuleValue {
        if let isList = anything(json) { return .anything(isList: isList) }
        if match == .addressIn { return try addresses(json) }
        switch field.kind {
        case .flag:
            guard let flag = json.bool else { throw AccountFilterFault("\(place) needs true or false.") }
            return .flag(flag)
        case .text, .address: return try texts(json) { _ in true }
        case .secretType: return try texts(json) { SecretType(rawValue: $0) != nil }
        case .category: return try texts(json) { Platform.Category(rawValue: $0) != nil }
        case .type: return try texts(json) { type in Platform.all.contains { $0.type == type } }
        case .platform: return try platforms(json)
        case .related: return try ids(json)
        }
    }

    /// `"*"`, or a list that has it, where the operator is `exact` or `in`.
    private func anything(_ json: JSONValue) -> Bool? {
        switch match {
        case .exact: json.isString("*") ? false : nil
        case .in: json.array?.contains { $0.isString("*") } == true ? true : nil
        default: nil
        }
    }

    private func texts(_ json: JSONValue, _ isKnown: (String) -> Bool) throws(AccountFilterFault) -> AccountRuleValue {
        if match == .in {
            return .texts(try list(json) { element throws(AccountFilterFault) in try self.text(element, isKnown) })
        }
        let text = try text(json, isKnown)
        // An empty part is contained in everything.
        if [.contains, .startswith, .endswith].contains(match), text.isEmpty {
            throw AccountFilterFault("\(place) needs a value that is not empty.")
        }
        return .text(text)
    }

    private func text(_ json: JSONValue, _ isKnown: (String) -> Bool) throws(AccountFilterFault) -> String {
        let bare = json.kind == .object ? json["value"] ?? json : json
        guard let count = bare.unescapedCount, count <= 1_024, let text = bare.string else {
            throw AccountFilterFault(
                "\(place) needs a string of at most 1024 bytes\(match == .in ? " in each place of a list" : "").")
        }
        guard isKnown(text) else { throw AccountFilterFault("\(place) has a value that does not exist.") }
        return text
    }

    private func addresses(_ json: JSONValue) throws(AccountFilterFault) -> AccountRuleValue {
        let entries: [String]
        if json.kind == .array {
            entries = try list(json) { element throws(AccountFilterFault) in try text(element) { _ in true } }
        } else {
            entries = [try text(json) { _ in true }]
        }
        do throws(AddressPolicyFault) {
            _ = try AddressPolicy(entries)
        } catch {
            throw AccountFilterFault("\(place): \(error)")
        }
        return json.kind == .array ? .texts(entries) : .text(entries.first ?? "")
    }

    private func platforms(_ json: JSONValue) throws(AccountFilterFault) -> AccountRuleValue {
        guard match == .in || match == .anyOf else { return .platforms([try platform(json)], isList: false) }
        return .platforms(try list(json) { element throws(AccountFilterFault) in try platform(element) }, isList: true)
    }

    private func platform(_ json: JSONValue) throws(AccountFilterFault) -> Platform.ID {
        guard let platform = Platform.named(json) else {
            throw AccountFilterFault("\(place) has a platform that does not exist.")
        }
        return platform.id
    }

    private func ids(_ json: JSONValue) throws(AccountFilterFault) -> AccountRuleValue {
        guard match == .exact else {
            return .ids(try list(json) { element throws(AccountFilterFault) in try id(element) }, isList: true)
        }
        return .ids([try id(json)], isList: false)
    }

    private func id(_ json: JSONValue) throws(AccountFilterFault) -> AccountRuleValue.UntypedID {
        guard let id = json.identifier.flatMap({ AccountRuleValue.UntypedID($0) }) else {
            throw AccountFilterFault("\(place) needs valid UUIDs.")
        }
        return id
    }

    private func list<Element>(
        _ json: JSONValue, _ one: (JSONValue) throws(AccountFilterFault) -> Element
    ) throws(AccountFilterFault) -> [Element] {
        guard let array = json.array, json.count > 0 else { throw AccountFilterFault("\(place) needs a list that is not empty.") }
        guard json.count <= AccountFilter.maximumValues else {
            throw AccountFilterFault("\(place) has more than \(AccountFilter.maximumValues) values.")
        }
        var elements: [Element] = []
        elements.reserveCapacity(json.count)
        for element in array { elements.append(try one(element)) }
        return elements
    }
}
