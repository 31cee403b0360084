internal import JSON

extension Schema {
    /// The members of a JSON Schema object.
    func write(to writer: inout JSONWriter<[UInt8]>) {
        writer.field("type", "object")
        Self.write(fields, &writer)
    }

    private static func write(_ fields: [Field], _ writer: inout JSONWriter<[UInt8]>) {
        let required = fields.filter { $0.access == .required }.map(\.name)
        if !required.isEmpty { writer.field("required", required) }
        writer.object("properties") { writer in
            for field in fields {
                writer.object(field.name) { write(field, &$0) }
            }
        }
        // A field that is not listed is refused.
        writer.field("additionalProperties", false)
    }

    private static func write(_ field: Field, _ writer: inout JSONWriter<[UInt8]>) {
        writeType(field.kind, &writer)
        if !field.summary.isEmpty { writer.field("description", field.summary) }
        switch field.access {
        case .readOnly: writer.field("readOnly", true)
        case .writeOnly: writer.field("writeOnly", true)
        case .required, .optional: if case .secret = field.kind { writer.field("writeOnly", true) }
        }
    }

    private static func writeType(_ kind: Field.Kind, _ writer: inout JSONWriter<[UInt8]>) {
        switch kind {
        case .text(let max):
            writer.field("type", ["string", "null"])
            writer.field("maxLength", max)
        case .secret(let max):
            writer.field("type", ["string", "null"])
            writer.field("format", "password")
            writer.field("maxLength", max)
        case .integer: writer.field("type", ["integer", "null"])
        case .number: writer.field("type", ["number", "null"])
        case .boolean: writer.field("type", "boolean")
        case .uuid:
            writer.field("type", ["string", "null"])
            writer.field("format", "uuid")
        case .dateTime:
            writer.field("type", ["string", "null"])
            writer.field("example", "2026/11/20 21:24:38 +0000")
        case .choice(let values): writeChoice(values, &writer)
        case .related: writeRelated(&writer)
        case .list(let fields):
            writer.field("type", "array")
            writer.object("items") {
                $0.field("type", "object")
                if !fields.isEmpty { write(fields, &$0) }
            }
        case .texts:
            writer.field("type", "array")
            writer.object("items") { $0.field("type", "string") }
        case .anyObject: writer.field("type", ["object", "null"])
        }
    }

    private static func writeChoice(_ values: [String], _ writer: inout JSONWriter<[UInt8]>) {
        writer.array("oneOf") { writer in
            writer.object {
                $0.field("type", "string")
                $0.field("enum", values)
            }
            writer.object { writer in
                writer.field("type", "object")
                writer.object("properties") { writer in
                    writer.object("value") {
                        $0.field("type", "string")
                        $0.field("enum", values)
                    }
                    writer.object("label") { $0.field("type", "string") }
                }
            }
        }
    }

    private static func writeRelated(_ writer: inout JSONWriter<[UInt8]>) {
        writer.array("oneOf") { writer in
            writer.object { $0.field("type", ["string", "integer", "null"]) }
            writer.object { writer in
                writer.field("type", "object")
                writer.object("properties") { writer in
                    writer.object("id") { $0.field("type", ["string", "integer"]) }
                    writer.object("name") { $0.field("type", "string") }
                }
            }
        }
    }
}
