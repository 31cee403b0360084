// Fields that name something else: choices, ids, lists, nested objects.

extension JSONRule {
    /// One of a closed list, as its bare value or as `{"value": …, "label": …}`.
    package static func choice(_ values: [Value]) -> JSONRule where Value: RawRepresentable<String> {
        JSONRule { value throws(JSONFieldErrors) in
            let bare = value.kind == .object ? value["value"] : value
            guard let raw = bare?.string, let choice = Value(rawValue: raw),
                values.contains(where: { $0.rawValue == raw })
            else {
                throw .value("Not a valid choice. Choose one of: \(values.map(\.rawValue).joined(separator: ", ")).")
            }
            return choice
        }
    }

    package static func choice(_ type: Value.Type = Value.self) -> JSONRule
    where Value: RawRepresentable<String> & CaseIterable {
        choice(Array(Value.allCases))
    }

    /// A string that `parse` understands, such as an id.
    package static func parsed(
        _ message: String = "Must be a valid UUID.", _ parse: @escaping (String) -> Value?
    ) -> JSONRule {
        JSONRule { value throws(JSONFieldErrors) in
            guard let count = value.unescapedCount, count <= 1024, let text = value.string, let parsed = parse(text) else {
                throw .value(message)
            }
            return parsed
        }
    }

    /// Something else by its id, which `rule` reads: the bare id, or an object with `id` or `pk`.
    package static func related(_ rule: JSONRule) -> JSONRule {
        JSONRule { value throws(JSONFieldErrors) in
            guard value.kind == .object else { return try rule.read(value) }
            guard let id = value["pk"] ?? value["id"] else { throw .value("Expected an id, or an object with its id.") }
            return try rule.read(id)
        }
    }

    /// An object whose fields `body` reads; `finish` is called by `body`.
    package static func object(
        _ body: @escaping (JSONObjectReader) throws(JSONFieldErrors) -> Value
    ) -> JSONRule {
        JSONRule { value throws(JSONFieldErrors) in try body(try JSONObjectReader(value)) }
    }

    /// A list of at most `max` elements; what is wrong with one is reported under its place.
    package static func list<Element>(of rule: JSONRule<Element>, max: Int) -> JSONRule where Value == [Element] {
        JSONRule { value throws(JSONFieldErrors) in
            guard let array = value.array else { throw .value("Expected a list of items.") }
            guard value.count <= max else { throw .value("Ensure this field has no more than \(max) elements.") }
            var errors = JSONFieldErrors()
            var elements: [Element] = []
            elements.reserveCapacity(value.count)
            for (place, element) in array.enumerated() {
                do throws(JSONFieldErrors) {
                    elements.append(try rule.read(element))
                } catch {
                    errors.add(error, under: String(place))
                    // A long list of bad entries needs no equally long answer.
                    if errors.entries.count >= 20 { break }
                }
            }
            guard errors.isEmpty else { throw errors }
            return elements
        }
    }
}
