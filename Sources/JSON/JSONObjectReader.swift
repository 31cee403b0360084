/// Reads the fields of a request body by name and type, and collects what is wrong with them instead of stopping at the first.
///
///     let body = try JSONObjectReader(json)
///     let name = body.required("name", .text(max: 128), current: stored?.name)
///     let port = body.optional("port", .int(1...65_535), default: 22)
///     let (checkedName, checkedPort) = try body.finish(name, port)
///
/// `current` is what a partial change (PATCH) keeps when the field is absent. Fields that nobody asked for are errors.
package final class JSONObjectReader {
    private let value: JSONValue
    private var errors = JSONFieldErrors()
    private var asked: Set<String> = []

    package init(_ value: JSONValue) throws(JSONFieldErrors) {
        guard value.kind == .object else { throw .value("Invalid data. Expected an object.") }
        self.value = value
    }

    // MARK: - Fields

    /// A field that must be there and must not be null, unless there is a `current` value; nil if something was wrong.
    package func required<Value>(_ name: String, _ rule: JSONRule<Value>, current: Value? = nil) -> Value? {
        switch field(name, rule) {
        case .value(let value)?: return value
        case .null?: refuseNull(name)
        case .absent?:
            if let current { return current }
            fail(name, "This field is required.")
        case nil: break
        }
        return nil
    }

    /// A field that may be absent but not null; nil if something was wrong.
    package func optional<Value>(_ name: String, _ rule: JSONRule<Value>, default fallback: Value) -> Value? {
        required(name, rule, current: fallback)
    }

    /// A field that may be absent but not null; nil if it is absent (or wrong: then `finish` throws).
    package func optional<Value>(_ name: String, _ rule: JSONRule<Value>) -> Value? {
        switch field(name, rule) {
        case .value(let value)?: return value
        case .null?: refuseNull(name)
        case .absent?, nil: break
        }
        return nil
    }

    /// A field that may be null; `current` if it is absent.
    package func nullable<Value>(_ name: String, _ rule: JSONRule<Value>, current: Value? = nil) -> Value? {
        switch field(name, rule) {
        case .value(let value)?: value
        case .absent?: current
        case .null?, nil: nil
        }
    }

    /// A field that tells absent, null and a value apart; nil if the value was wrong.
    package func field<Value>(_ name: String, _ rule: JSONRule<Value>) -> JSONField<Value>? {
        asked.insert(name)
        guard let json = value[name] else { return .absent }
        guard !json.isNull else { return .null }
        do throws(JSONFieldErrors) {
            return .value(try rule.read(json))
        } catch {
            errors.add(error, under: name)
            return nil
        }
    }

    /// True if the body has this field, whatever its value.
    package func has(_ name: String) -> Bool { value[name] != nil }

    /// Fields that an answer shows and a client may send back; they are not read.
    package func ignore(_ names: String...) {
        asked.formUnion(names)
    }

    // MARK: - Errors

    /// Records that the field breaks a rule which only the caller knows.
    package func fail(_ name: String, _ message: String) {
        errors.add(name, message)
    }

    /// Throws all that is wrong, unknown fields included; otherwise gives the values back without their optionality.
    package func finish<each Value>(_ values: repeat (each Value)?) throws(JSONFieldErrors) -> (repeat each Value) {
        refuseUnknown()
        guard errors.isEmpty else { throw errors }
        return (repeat try checked(each values))
    }

    private func checked<Value>(_ value: Value?) throws(JSONFieldErrors) -> Value {
        guard let value else { throw .value("A required field is missing.") }
        return value
    }

    private func refuseNull(_ name: String) {
        fail(name, "This field may not be null.")
    }

    private func refuseUnknown() {
        guard let members = value.object else { return }
        var reported = 0
        for member in members {
            let name = member.name
            guard !asked.contains(name) else { continue }
            // What does not look like a field's name is not repeated: it may be a value that slipped.
            fail(Self.looksLikeName(name) ? name : JSONFieldErrors.wholeBody, "Unknown field.")
            reported += 1
            if reported == 20 { return }
        }
    }

    private static func looksLikeName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    }
}

/// What a body says about one field.
package enum JSONField<Value> {
    case absent
    case null
    case value(Value)
}

extension JSONField: Sendable where Value: Sendable {}
extension JSONField: Equatable where Value: Equatable {}
