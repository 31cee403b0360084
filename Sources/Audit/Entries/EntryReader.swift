internal import Domain
internal import JSON

/// Reads the stored form of an entry back. Fields that it does not know are left aside, so that a later form can be listed.
struct EntryReader {
    static func read(_ body: UnsafeRawBufferPointer) throws(AuditFault) -> AuditEntry {
        let limits = JSONLimits(depth: 4, bytes: EntryLimits.body, values: 2048)
        let root: JSONValue
        do {
            root = try JSONDocument(body, limits: limits).root
        } catch {
            throw .notAnEntry(error.description)
        }
        let fields = try Fields(root, of: "entry")
        var entry = AuditEntry(
            time: Timestamp(milliseconds: try fields.number("time")), phase: try fields.choice("phase"),
            actor: try actor(fields), address: try fields.optionalText("address") ?? "",
            organization: try fields.optionalID("organization"), action: AuditAction(rawValue: try fields.text("action")),
            objects: try objects(fields), outcome: try fields.choice("outcome"),
            reason: try fields.optionalText("reason") ?? "", request: try fields.id("request"))
        entry.latency = try fields.optionalNumber("latency")
        entry.version = try fields.optionalNumber("version")
        entry.count = try fields.optionalNumber("count") ?? 1
        return entry
    }

    static func read(_ body: [UInt8]) throws(AuditFault) -> AuditEntry {
        try body.withUnsafeBufferPointer { (buffer) throws(AuditFault) in try read(UnsafeRawBufferPointer(buffer)) }
    }

    private static func actor(_ entry: Fields) throws(AuditFault) -> Actor {
        let fields = try Fields(try entry.value("actor"), of: "actor")
        let name = try fields.optionalText("name") ?? ""
        return switch try fields.text("kind") {
        case "user": .user(try fields.id("id"), name: name)
        case "application": .application(try fields.id("id"), name: name, credential: try fields.id("credential"))
        case "system": .system(name)
        case "operator": .operatorLocal(name)
        case "anonymous": .anonymous
        default: throw .notAnEntry("kind of actor")
        }
    }

    private static func objects(_ entry: Fields) throws(AuditFault) -> [AuditObject] {
        guard let list = entry.optionalValue("objects") else { return [] }
        guard let elements = list.array else { throw .notAnEntry("objects") }
        var objects: [AuditObject] = []
        for element in elements {
            let fields = try Fields(element, of: "object")
            objects.append(
                AuditObject(
                    kind: try fields.text("kind"), id: try fields.text("id"), name: try fields.optionalText("name") ?? ""))
        }
        return objects
    }
}

/// The members of one object, read by name; a missing or wrong-typed one is told by its name.
private struct Fields {
    private var values: [String: JSONValue] = [:]

    init(_ value: JSONValue, of what: String) throws(AuditFault) {
        guard let members = value.object else { throw .notAnEntry(what) }
        for member in members { values[member.name] = member.value }
    }

    func optionalValue(_ name: String) -> JSONValue? { values[name] }

    func value(_ name: String) throws(AuditFault) -> JSONValue {
        guard let value = values[name] else { throw .notAnEntry(name) }
        return value
    }

    func optionalText(_ name: String) throws(AuditFault) -> String? {
        guard let value = values[name] else { return nil }
        guard let text = value.string else { throw .notAnEntry(name) }
        return text
    }

    func text(_ name: String) throws(AuditFault) -> String {
        guard let text = try optionalText(name) else { throw .notAnEntry(name) }
        return text
    }

    func optionalNumber(_ name: String) throws(AuditFault) -> Int64? {
        guard let value = values[name] else { return nil }
        guard let number = value.int else { throw .notAnEntry(name) }
        return number
    }

    func number(_ name: String) throws(AuditFault) -> Int64 {
        guard let number = try optionalNumber(name) else { throw .notAnEntry(name) }
        return number
    }

    func optionalID<Entity>(_ name: String) throws(AuditFault) -> Identifier<Entity>? {
        guard let text = try optionalText(name) else { return nil }
        guard let words = Self.words(text) else { throw .notAnEntry(name) }
        return Identifier(high: words.high, low: words.low)
    }

    /// The form that ids are written in: 32 lower-case digits with hyphens. Not generic, as a verification reads millions of them.
    private static func words(_ text: String) -> (high: UInt64, low: UInt64)? {
        var text = text
        return text.withUTF8 { utf8 in
            guard utf8.count == 36 else { return nil }
            var words: (high: UInt64, low: UInt64) = (0, 0)
            for position in 0..<36 {
                let byte = utf8[position]
                if position == 8 || position == 13 || position == 18 || position == 23 {
                    guard byte == UInt8(ascii: "-") else { return nil }
                    continue
                }
                let digit: UInt64
                switch byte {
                case 48...57: digit = UInt64(byte - 48)
                case 97...102: digit = UInt64(byte - 87)
                default: return nil
                }
                if position < 18 { words.high = words.high << 4 | digit } else { words.low = words.low << 4 | digit }
            }
            return words
        }
    }

    func id<Entity>(_ name: String) throws(AuditFault) -> Identifier<Entity> {
        guard let id: Identifier<Entity> = try optionalID(name) else { throw .notAnEntry(name) }
        return id
    }

    func choice<Choice: RawRepresentable>(_ name: String) throws(AuditFault) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: try text(name)) else { throw .notAnEntry(name) }
        return choice
    }
}
