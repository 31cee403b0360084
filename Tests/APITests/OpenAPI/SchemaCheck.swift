internal import HTTPServer
internal import JSON

/// Compares answers with a description of the API: as much of JSON Schema as the description uses.
struct SchemaCheck {
    private let document: JSONValue

    init(_ document: JSONValue) {
        self.document = document
    }

    /// What an answer has that its description does not; empty where all of it is described.
    func faults(_ method: HTTPServer.Method, _ path: String, status: Int, _ body: [UInt8]) throws -> [String] {
        guard let responses = document["paths"]?[path]?[method.rawValue.lowercased()]?["responses"] else {
            return ["the operation is not described"]
        }
        guard let described = responses[String(status)] ?? responses["default"] else {
            return ["status \(status) is not described"]
        }
        // What is not JSON has no schema.
        guard let schema = resolved(described)["content"]?["application/json"]?["schema"] else { return [] }
        return faults(try JSONDocument.parse(body, limits: JSONLimits(bytes: 64 << 20, values: 5_000_000)), schema, "$")
    }

    private func resolved(_ value: JSONValue) -> JSONValue {
        guard let target = value["$ref"]?.string else { return value }
        let found = target.split(separator: "/").dropFirst().reduce(JSONValue?.some(document)) { $0?[String($1)] }
        return found ?? value
    }

    private func faults(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
        let schema = resolved(schema)
        if let alternatives = schema["oneOf"]?.array {
            let each = alternatives.map { faults(value, $0, place) }
            let fitting = each.count { $0.isEmpty }
            return fitting == 1 ? [] : ["\(place) fits \(fitting) of \(each.count) alternatives"] + each.flatMap { $0 }
        }
        if let fault = typeFault(value, schema) { return ["\(place): \(fault)"] }
        var found: [String] = []
        if let values = schema["enum"]?.array, !values.contains(where: { $0.string == value.string }) {
            found.append("\(place) is \(value.string ?? "?"), which is not listed")
        }
        if let longest = schema["maxLength"]?.int, let text = value.string, text.unicodeScalars.count > longest {
            found.append("\(place) is longer than \(longest)")
        }
        if let items = schema["items"], let elements = value.array {
            for (index, element) in elements.enumerated() { found += faults(element, items, "\(place)[\(index)]") }
        }
        return found + memberFaults(value, schema, place)
    }

    private func typeFault(_ value: JSONValue, _ schema: JSONValue) -> String? {
        guard let type = schema["type"] else { return nil }
        let allowed = type.array.map { $0.compactMap(\.string) } ?? [type.string ?? ""]
        let kinds: [String] =
            switch value.kind {
            case .null: ["null"]
            case .bool: ["boolean"]
            case .number: value.int == nil ? ["number"] : ["integer", "number"]
            case .string: ["string"]
            case .array: ["array"]
            case .object: ["object"]
            }
        return allowed.contains(where: kinds.contains) ? nil : "\(kinds[0]), not \(allowed.joined(separator: " or "))"
    }

    private func memberFaults(_ value: JSONValue, _ schema: JSONValue, _ place: String) -> [String] {
        guard let members = value.object else { return [] }
        var found: [String] = []
        for name in (schema["required"]?.array).map({ $0.compactMap(\.string) }) ?? [] where value[name] == nil {
            found.append("\(place).\(name) is missing")
        }
        let more = schema["additionalProperties"]
        for member in members {
            if let known = schema["properties"]?[member.name] {
                found += faults(member.value, known, "\(place).\(member.name)")
            } else if more?.bool == false {
                found.append("\(place).\(member.name) is not described")
            } else if let more, more.kind == .object {
                found += faults(member.value, more, "\(place).\(member.name)")
            }
        }
        return found
    }
}
