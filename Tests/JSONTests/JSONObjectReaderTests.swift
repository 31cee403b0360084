import JSON
import Testing

@Suite("JSONObjectReader")
struct JSONObjectReaderTests {
    enum Color: String, CaseIterable { case red, green }

    struct Thing: Equatable {
        var name: String
        var port: Int
        var tags: [String]
        var color: Color
        var owner: String?
    }

    static func decode(_ text: String, onto stored: Thing? = nil) throws -> Thing {
        let body = try JSONObjectReader(try JSONDocument.parse(text))
        let name = body.required("name", .text(max: 8), current: stored?.name)
        let port = body.optional("port", .int(1...65_535), default: stored?.port ?? 22)
        let tags = body.optional("tags", .list(of: .text(max: 4), max: 3), default: stored?.tags ?? [])
        let color = body.required("color", .choice(), current: stored?.color)
        let owner = body.nullable("owner", .related(.parsed { $0.hasPrefix("u") ? $0 : nil }), current: stored?.owner)
        body.ignore("id")
        let (checkedName, checkedPort, checkedTags, checkedColor) = try body.finish(name, port, tags, color)
        return Thing(name: checkedName, port: checkedPort, tags: checkedTags, color: checkedColor, owner: owner)
    }

    @Test("a body becomes a value")
    func whole() throws {
        let thing = try Self.decode(
            #"{"name":" a ","port":80,"tags":["x"],"color":{"value":"green","label":"G"},"owner":{"pk":"u1"}}"#)
        #expect(thing == Thing(name: "a", port: 80, tags: ["x"], color: .green, owner: "u1"))
        #expect(try Self.decode(#"{"name":"a","color":"red"}"#) == Thing(name: "a", port: 22, tags: [], color: .red, owner: nil))
    }

    @Test("a partial change keeps what is absent and clears what is null")
    func partial() throws {
        let stored = Thing(name: "a", port: 1, tags: ["t"], color: .red, owner: "u1")
        #expect(try Self.decode(#"{"id":"x","port":2}"#, onto: stored).port == 2)
        #expect(try Self.decode("{}", onto: stored) == stored)
        #expect(try Self.decode(#"{"owner":null}"#, onto: stored).owner == nil)
    }

    @Test(
        "each wrong field is named with its rule",
        arguments: [
            (#"{"color":"red"}"#, "name", "This field is required."),
            (#"{"name":null,"color":"red"}"#, "name", "This field may not be null."),
            (#"{"name":"  ","color":"red"}"#, "name", "This field may not be blank."),
            (#"{"name":5,"color":"red"}"#, "name", "Not a valid string."),
            (#"{"name":"a\u0000b","color":"red"}"#, "name", "Null characters are not allowed."),
            (#"{"name":"123456789","color":"red"}"#, "name", "Ensure this field has no more than 8 characters."),
            (#"{"name":"a","color":"blue"}"#, "color", "Not a valid choice. Choose one of: red, green."),
            (#"{"name":"a","color":{}}"#, "color", "Not a valid choice. Choose one of: red, green."),
            (#"{"name":"a","color":"red","port":"80"}"#, "port", "A valid integer is required."),
            (#"{"name":"a","color":"red","port":0}"#, "port", "Ensure this value is greater than or equal to 1."),
            (#"{"name":"a","color":"red","port":70000}"#, "port", "Ensure this value is less than or equal to 65535."),
            (#"{"name":"a","color":"red","tags":"x"}"#, "tags", "Expected a list of items."),
            (#"{"name":"a","color":"red","tags":["x",1]}"#, "tags.1", "Not a valid string."),
            (#"{"name":"a","color":"red","tags":["","","",""]}"#, "tags", "Ensure this field has no more than 3 elements."),
            (#"{"name":"a","color":"red","owner":"x"}"#, "owner", "Must be a valid UUID."),
            (#"{"name":"a","color":"red","owner":{"name":"u"}}"#, "owner", "Expected an id, or an object with its id."),
            (#"{"name":"a","color":"red","colour":"red"}"#, "colour", "Unknown field."),
            (#"{"name":"a","color":"red","My Secret!":1}"#, "non_field_errors", "Unknown field."),
            ("[]", "non_field_errors", "Invalid data. Expected an object."),
        ])
    func messages(text: String, field: String, message: String) {
        let errors = #expect(throws: JSONFieldErrors.self) { try Self.decode(text) }
        #expect(errors?[field: field] == [message])
        #expect(errors?.entries.count == 1)
    }

    @Test("all that is wrong is told at once, and no value is repeated")
    func all() throws {
        let errors = #expect(throws: JSONFieldErrors.self) {
            try Self.decode(#"{"port":"hunter2-port","tags":[{"hunter2":1}],"color":"hunter2","hunter":"hunter2"}"#)
        }
        #expect(errors?.entries.map(\.field) == ["name", "port", "tags.0", "color", "hunter"])
        var writer = JSONWriter()
        errors?.write(to: &writer)
        let text = String(decoding: writer.bytes, as: UTF8.self)
        #expect(!text.contains("hunter2"))
        #expect(text.hasPrefix(#"{"name":["This field is required."],"#))
    }

    @Test("nested objects report under their path")
    func nested() throws {
        let body = try JSONObjectReader(try JSONDocument.parse(#"{"protocols":[{"name":"ssh","port":22},{"name":"rdp"}]}"#))
        let rule = JSONRule<String>.object { inner throws(JSONFieldErrors) in
            let name = inner.required("name", .text(max: 16))
            let port = inner.required("port", .int(1...65_535))
            let (checkedName, checkedPort) = try inner.finish(name, port)
            return "\(checkedName)/\(checkedPort)"
        }
        let protocols = body.required("protocols", .list(of: rule, max: 8))
        let errors = #expect(throws: JSONFieldErrors.self) { try body.finish(protocols) }
        #expect(errors?[field: "protocols.1.port"] == ["This field is required."])
    }

    @Test("a secret is left in the document and bounded in bytes")
    func secret() throws {
        let body = try JSONObjectReader(try JSONDocument.parse(#"{"secret":"\u00e9","other":"12345"}"#))
        #expect(body.required("secret", .secret(max: 4))?.unescapedCount == 2)
        #expect(body.required("other", .secret(max: 4)) == nil)
        #expect(body.has("other") && !body.has("third"))
    }
}
