import Domain
import JSON
import Testing

@Suite("Domain types in JSON bodies")
struct JSONRuleDomainTests {
    static let one = "00000000-0000-0000-0000-000000000001"

    static func read<Value>(_ json: String, _ rule: JSONRule<Value>) throws -> Value {
        try rule.read(try JSONDocument.parse(json))
    }

    @Test("ids are read bare and from objects")
    func ids() throws {
        let id = AssetID(high: 0, low: 1)
        #expect(try Self.read("\"\(Self.one)\"", .id()) == id)
        for json in ["\"\(Self.one)\"", "{\"id\":\"\(Self.one)\",\"name\":\"x\"}", "{\"pk\":\"\(Self.one)\"}"] {
            #expect(try Self.read(json, .related()) == id)
        }
        for json in ["\"\"", "5", "{}", "null", "\"\(Self.one)0\""] {
            #expect(throws: JSONFieldErrors.self) { try Self.read(json, .related() as JSONRule<AssetID>) }
        }
    }

    @Test(
        "platforms are read by number, name and object", arguments: ["1", "\"1\"", "\"Linux\"", "{\"id\":1}", "{\"pk\":\"1\"}"])
    func platforms(json: String) throws {
        #expect(try Self.read(json, .platform) == Platform.ID(rawValue: 1))
    }

    @Test("no platform, no value", arguments: ["0", "31", "-1", "9223372036854775807", "\"linux\"", "{}", "null", "1.0", "[1]"])
    func noPlatform(json: String) {
        #expect(throws: JSONFieldErrors.self) { try Self.read(json, .platform) }
    }

    @Test("a bad address entry is named")
    func addresses() throws {
        #expect(try Self.read(#"["*","10.0.0.0/8"]"#, .addressPolicy) == ["*", "10.0.0.0/8"])
        #expect(try Self.read("[]", .addressPolicy) == [])
        let errors = #expect(throws: JSONFieldErrors.self) { try Self.read(#"["*","10.0.0.1/8"]"#, .addressPolicy) }
        #expect(errors?[field: JSONFieldErrors.wholeBody].first?.hasPrefix("Entry 2, \"10.0.0.1/8\",") == true)
    }

    @Test("faults become refusals, and a filter's fault names the rule")
    func refusals() throws {
        let body = try JSONObjectReader(
            try JSONDocument.parse(
                #"{"accounts":{"type":"attrs","attrs":[{"name":"name","match":"regex","value":"x"}]},"at":"x"}"#))
        let filter = body.required("accounts", AccountFilter.rule)
        _ = body.required("at", .date)
        let errors = try #require(#expect(throws: JSONFieldErrors.self) { try body.finish(filter) })
        guard case .invalid(let fields) = Refusal(errors) else {
            Issue.record("not a refusal of fields")
            return
        }
        #expect(fields["accounts"]?.first?.hasPrefix("attrs[0]: The operator 'regex' is not supported") == true)
        #expect(fields["at"]?.count == 1)
        #expect(Refusal(JSONFault(.tooDeep, at: 3)) == .malformed("Invalid JSON: nested too deeply (at byte 3)."))
    }

    @Test("ids, dates, choices and related things are written as JumpServer does")
    func written() {
        var writer = JSONWriter()
        writer.object {
            $0.field("id", AssetID(high: 0, low: 1))
            $0.field("none", nil as AssetID?)
            $0.field("date", Timestamp(seconds: 0))
            $0.choice("type", value: "password", label: "Password")
            $0.related("asset", AssetID(high: 0, low: 1), named: "web")
        }
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"id":"\#(Self.one)","none":null,"date":"1970/01/01 00:00:00 +0000","#
                + #""type":{"value":"password","label":"Password"},"asset":{"id":"\#(Self.one)","name":"web"}}"#)
    }
}
