internal import Domain
internal import JSON

/// The fields that assets of one category have besides those of all, by JumpServer's names. They are stored as text.
struct SpecificField: Sendable {
    enum Kind: Sendable {
        case text(max: Int)
        case flag
        case choice([String])
    }

    let name: String
    let kind: Kind
    /// What is shown where nothing is stored.
    let fallback: String

    private init(_ name: String, _ kind: Kind, _ fallback: String = "") {
        self.name = name
        self.kind = kind
        self.fallback = fallback
    }

    /// The fields of a category.
    static func of(_ category: Platform.Category) -> [SpecificField] {
        switch category {
        case .host, .device, .cloud, .custom: []
        case .database:
            [
                SpecificField("db_name", .text(max: 1024)), SpecificField("use_ssl", .flag, "false"),
                SpecificField("ca_cert", .text(max: 65_536)), SpecificField("client_cert", .text(max: 65_536)),
                SpecificField("allow_invalid_cert", .flag, "false"),
                // The first two are not JumpServer's: without TLS a secret goes out only where somebody said so in words.
                SpecificField(
                    "pg_ssl_mode", .choice(["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]), "prefer"),
                SpecificField("allow_clear_text", .flag, "false"),
            ]
        case .web:
            [
                SpecificField("autofill", .choice(["no", "basic", "script"]), "basic"),
                SpecificField("username_selector", .text(max: 128)), SpecificField("password_selector", .text(max: 128)),
                SpecificField("submit_selector", .text(max: 128)),
            ]
        case .ds: [SpecificField("domain_name", .text(max: 128))]
        }
    }

    static let all = Platform.Category.allCases.flatMap { of($0) }

    /// The field's text in a body; nil if the body leaves it out.
    func read(_ body: JSONObjectReader) -> String? {
        switch kind {
        case .text(let max): return body.optional(name, .text(max: max, blank: true))
        case .flag: return body.optional(name, .bool).map { $0 ? "true" : "false" }
        case .choice(let values):
            let message = "Not a valid choice. Choose one of: \(values.joined(separator: ", "))."
            let rule = JSONRule<String> { json throws(JSONFieldErrors) in
                let bare = json.kind == .object ? json["value"] : json
                guard let text = bare?.string, values.contains(text) else { throw .value(message) }
                return text
            }
            return body.optional(name, rule)
        }
    }

    /// Writes the field as a member.
    func write(_ stored: [String: String], _ writer: inout JSONWriter<[UInt8]>) {
        let text = stored[name] ?? fallback
        switch kind {
        case .text: writer.field(name, text)
        case .flag: writer.field(name, text == "true")
        case .choice: writer.choice(name, value: text, label: text)
        }
    }

    var schema: Schema.Field {
        switch kind {
        case .text(let max): .field(name, .text(max: max))
        case .flag: .field(name, .boolean)
        case .choice(let values): .field(name, .choice(values))
        }
    }
}
