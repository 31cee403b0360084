package import JSON

// How the types of the domain stand in JSON bodies, for the readers of all resources.

extension JSONRule {
    /// An id as a string.
    package static func id<Entity>() -> JSONRule where Value == Identifier<Entity> {
        .parsed { Identifier($0) }
    }

    /// Something else by its id, or by an object with `id` or `pk`.
    package static func related<Entity>() -> JSONRule where Value == Identifier<Entity> {
        .related(.id())
    }
}

extension JSONRule where Value == Platform.ID {
    /// A platform by number, by name, or as an object with `id` or `pk`.
    package static var platform: JSONRule {
        JSONRule { json throws(JSONFieldErrors) in
            guard let platform = Platform.named(json) else { throw .value("There is no such platform.") }
            return platform.id
        }
    }
}

extension Platform {
    /// The platform that a value of a body or filter names: its number (also as digits in a string), its name, or an object with `id` or `pk`.
    static func named(_ json: JSONValue) -> Platform? {
        let bare = json.kind == .object ? json["id"] ?? json["pk"] ?? json : json
        let text = bare.unescapedCount.flatMap { $0 <= 128 ? bare.string : nil }
        if let number = bare.int.flatMap({ Int(exactly: $0) }) ?? text.flatMap({ Int($0) }) {
            return named(ID(rawValue: number))
        }
        return text.flatMap { named($0) }
    }
}

extension JSONRule where Value == [String] {
    /// The entries of an address policy, kept as written once they are known to be valid.
    package static var addressPolicy: JSONRule {
        let list = JSONRule.list(
            of: .text(max: AddressPolicy.maximumEntryLength, blank: true), max: AddressPolicy.maximumEntries)
        return JSONRule { json throws(JSONFieldErrors) in
            let entries = try list.read(json)
            do throws(AddressPolicyFault) {
                _ = try AddressPolicy(entries)
            } catch {
                throw .value(error.description)
            }
            return entries
        }
    }
}

extension JSONRule where Value == Timestamp {
    /// A date in any form that `WireDate` reads.
    package static var date: JSONRule {
        .parsed("Datetime has wrong format. Use YYYY/MM/DD HH:MM:SS +ZZZZ or ISO 8601.") { WireDate.parse($0) }
    }
}

// MARK: - Writing

extension JSONWriter {
    package mutating func field<Entity>(_ name: String, _ id: Identifier<Entity>?) {
        field(name, id?.description)
    }

    /// A date in JumpServer's form; nil is written as null.
    package mutating func field(_ name: String, _ date: Timestamp?, offsetMinutes: Int = 0) {
        field(name, date.map { WireDate.format($0, offsetMinutes: offsetMinutes) })
    }

    /// A choice as `{"value": …, "label": …}`.
    package mutating func choice(_ name: String, value: String, label: String) {
        object(name) {
            $0.field("value", value)
            $0.field("label", label)
        }
    }

    /// Something else as `{"id": …, "name": …}`.
    package mutating func related<Entity>(_ name: String, _ id: Identifier<Entity>, named title: String) {
        object(name) {
            $0.field("id", id)
            $0.field("name", title)
        }
    }
}

// MARK: - Refusals

extension Refusal {
    package init(_ errors: JSONFieldErrors) {
        self = .invalid(Dictionary(errors.entries.map { ($0.field, $0.messages) }) { $0 + $1 })
    }

    package init(_ fault: JSONFault) {
        self = .malformed("Invalid JSON: \(fault).")
    }
}
