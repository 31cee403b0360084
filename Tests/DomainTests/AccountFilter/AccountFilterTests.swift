import Domain
import JSON
import TestSupport
import Testing

/// Ids that are easy to write: entity number `n`.
func id<Entity>(_ n: UInt64) -> Identifier<Entity> { Identifier(high: 0, low: n) }

func text(_ n: UInt64) -> String { Identifier<Account>(high: 0, low: n).description }

@Suite("AccountFilter")
struct AccountFilterTests {
    /// root on web-1 (Linux, 10.1.2.3) in node 31, labels 51 and 52. Node 30 holds 31, which holds 32.
    static let root = AccountFacts(
        account: id(1), name: "Root", username: "root", secretType: .password, privileged: true, isActive: true,
        labels: [id(51), id(52)], asset: id(21), assetName: "web-1", address: "10.1.2.3", platform: Platform.ID(rawValue: 1),
        nodes: [id(31)])

    static func compiled(_ json: String) throws -> CompiledAccountFilter {
        try AccountFilter(text: json).compiled { node in
            switch node.low {
            case 30: [id(31), id(32)]
            case 31: [id(32)]
            default: []
            }
        }
    }

    static func matches(_ rules: String, _ facts: AccountFacts = root) throws -> Bool {
        try compiled(#"{"type":"attrs","attrs":[\#(rules)]}"#).matches(facts)
    }

    @Test(
        "a rule holds just when it says so",
        arguments: [
            (#"{"name":"name","match":"exact","value":"Root"}"#, true), (#"{"name":"name","value":"Root"}"#, true),
            (#"{"name":"name","match":"exact","value":"root"}"#, false), (#"{"name":"name","match":"exact","value":"*"}"#, true),
            (#"{"name":"name","match":"not","value":"Root"}"#, false), (#"{"name":"name","match":"not","value":"x"}"#, true),
            (#"{"name":"name","match":"not","value":"*"}"#, true),
            (#"{"name":"username","match":"in","value":["a","root"]}"#, true),
            (#"{"name":"username","match":"in","value":["a","b"]}"#, false),
            (#"{"name":"username","match":"in","value":["a","*"]}"#, true),
            (#"{"name":"username","match":"contains","value":"oo"}"#, true),
            (#"{"name":"username","match":"contains","value":"OO"}"#, false),
            (#"{"name":"username","match":"contains","value":"*"}"#, false),
            (#"{"name":"username","match":"contains","value":"rootx"}"#, false),
            (#"{"name":"username","match":"startswith","value":"ro"}"#, true),
            (#"{"name":"username","match":"startswith","value":"oo"}"#, false),
            (#"{"name":"username","match":"endswith","value":"ot"}"#, true),
            (#"{"name":"username","match":"endswith","value":"oroot"}"#, false),
            (#"{"name":"username","match":"exact","value":""}"#, false),
            (#"{"name":"username","match":"gte","value":"root"}"#, true),
            (#"{"name":"username","match":"gte","value":"root0"}"#, false),
            (#"{"name":"username","match":"gt","value":"root"}"#, false),
            (#"{"name":"username","match":"gt","value":"roo"}"#, true),
            (#"{"name":"username","match":"gt","value":""}"#, true),
            (#"{"name":"username","match":"lte","value":"root"}"#, true),
            (#"{"name":"username","match":"lte","value":"roo"}"#, false),
            (#"{"name":"username","match":"lt","value":"root"}"#, false),
            (#"{"name":"username","match":"lt","value":"ö"}"#, true),
            (#"{"name":"name","match":"lt","value":"r"}"#, true),
            (#"{"name":"asset_name","match":"gte","value":"web-1"},{"name":"asset_name","match":"lt","value":"web-2"}"#, true),
            (#"{"name":"secret_type","match":"exact","value":"password"}"#, true),
            (#"{"name":"secret_type","match":"not","value":"password"}"#, false),
            (#"{"name":"secret_type","match":"in","value":["ssh_key","token"]}"#, false),
            (#"{"name":"secret_type","match":"in","value":[{"value":"password","label":"P"}]}"#, true),
            (#"{"name":"privileged","match":"exact","value":true}"#, true),
            (#"{"name":"privileged","match":"not","value":true}"#, false),
            (#"{"name":"is_active","match":"exact","value":false}"#, false),
            (#"{"name":"asset","match":"m2m","value":["\#(text(21))"]}"#, true),
            (#"{"name":"asset","match":"m2m","value":["\#(text(22))"]}"#, false),
            (#"{"name":"asset","match":"m2m_all","value":["\#(text(21))","\#(text(22))"]}"#, true),
            (#"{"name":"asset","match":"exact","value":{"id":"\#(text(21))","name":"web-1"}}"#, true),
            (#"{"name":"asset__name","match":"startswith","value":"web-"}"#, true),
            (#"{"name":"asset_name","match":"exact","value":"db"}"#, false),
            (#"{"name":"asset__address","match":"ip_in","value":"10.0.0.0/8"}"#, true),
            (#"{"name":"address","match":"ip_in","value":["1.1.1.1","10.1.2.0-10.1.2.9"]}"#, true),
            (#"{"name":"address","match":"ip_in","value":"10.1.2.4"}"#, false),
            (#"{"name":"address","match":"ip_in","value":"*"}"#, true),
            (#"{"name":"address","match":"exact","value":"10.1.2.3"}"#, true),
            (#"{"name":"platform","match":"exact","value":1}"#, true),
            (#"{"name":"asset__platform","match":"in","value":["Windows","Linux"]}"#, true),
            (#"{"name":"platform","match":"not","value":"Linux"}"#, false),
            (#"{"name":"platform","match":"m2m","value":[{"id":5}]}"#, false),
            (#"{"name":"platform","match":"exact","value":"1"}"#, true), (#"{"name":"platform","match":"not","value":5}"#, true),
            (#"{"name":"category","match":"exact","value":"host"}"#, true),
            (#"{"name":"category","match":"in","value":["database","device"]}"#, false),
            (#"{"name":"type","match":"exact","value":"linux"}"#, true),
            (#"{"name":"type","match":"not","value":"linux"}"#, false),
            (#"{"name":"labels","match":"m2m","value":["\#(text(50))","\#(text(51))"]}"#, true),
            (#"{"name":"labels","match":"m2m","value":["\#(text(50))"]}"#, false),
            (#"{"name":"labels","match":"m2m_all","value":["\#(text(51))","\#(text(52))"]}"#, true),
            (#"{"name":"labels","match":"m2m_all","value":["\#(text(51))","\#(text(53))"]}"#, false),
            (#"{"name":"nodes","match":"m2m","value":["\#(text(30))"]}"#, true),
            (#"{"name":"asset__nodes","match":"m2m","value":["\#(text(31))"]}"#, true),
            (#"{"name":"nodes","match":"m2m","value":["\#(text(32))"]}"#, false),
            (#"{"name":"nodes","match":"m2m_all","value":["\#(text(30))","\#(text(31))"]}"#, true),
            (#"{"name":"nodes","match":"m2m_all","value":["\#(text(30))","\#(text(33))"]}"#, false),
            (#"{"name":"username","value":"root","rel":"and"},{"name":"privileged","value":true}"#, true),
            (#"{"name":"username","value":"root"},{"name":"privileged","value":false}"#, false),
        ] as [(String, Bool)])
    func rule(rules: String, expected: Bool) throws {
        #expect(try Self.matches(rules) == expected)
    }

    @Test(
        "what is not understood is refused and named, never skipped",
        arguments: [
            ("{}", "needs a 'type'"), ("[]", "must be an object"), (#"{"type":"some"}"#, "'some'"),
            (#"{"type":5}"#, "needs a 'type'"),
            (#"{"type":"all","x":1}"#, "'x'"), (#"{"type":"all","ids":["a"]}"#, "'ids'"),
            (#"{"type":"ids","ids":[]}"#, "not empty"),
            (#"{"type":"ids"}"#, "not empty"), (#"{"type":"ids","ids":["nope"]}"#, "ids[0] is not a valid UUID"),
            (#"{"type":"ids","ids":[null]}"#, "ids[0]"), (#"{"type":"attrs","attrs":[]}"#, "not empty"),
            (#"{"type":"attrs","attrs":{}}"#, "not empty"),
            (#"{"type":"attrs","attrs":[5]}"#, "attrs[0]: A rule must be an object"),
            (#"{"type":"attrs","attrs":[{"value":1}]}"#, "needs a 'name'"),
            (#"{"type":"attrs","attrs":[{"name":"name"}]}"#, "needs a 'value'"),
            (#"{"type":"attrs","attrs":[{"name":"name","value":null}]}"#, "needs a 'value'"),
            (#"{"type":"attrs","attrs":[{"name":null,"value":"x"}]}"#, "needs a 'name'"),
            (#"{"type":"attrs","attrs":[{"name":"secret","value":"x"}]}"#, "Unknown field 'secret'"),
            (#"{"type":"attrs","attrs":[{"name":"asset__org_id","value":"x"}]}"#, "Unknown field 'asset__org_id'"),
            (
                #"{"type":"attrs","attrs":[{"name":"name","value":"x"},{"name":"name","match":"regex","value":"x"}]}"#,
                "attrs[1]: The operator 'regex' is not supported"
            ),
            (#"{"type":"attrs","attrs":[{"name":"name","match":"like","value":"x"}]}"#, "Unknown operator 'like'"),
            (#"{"type":"attrs","attrs":[{"name":"name","match":"hunter2 !","value":"x"}]}"#, "Unknown operator (not a name)"),
            (#"{"type":"attrs","attrs":[{"name":"address","match":"gte","value":"x"}]}"#, "'gte' does not apply to 'address'"),
            (#"{"type":"attrs","attrs":[{"name":"privileged","match":"lt","value":true}]}"#, "'lt' does not apply"),
            (#"{"type":"attrs","attrs":[{"name":"name","match":"gt","value":["x"]}]}"#, "needs a string"),
            (#"{"type":"attrs","attrs":[{"name":"name","match":"ip_in","value":"x"}]}"#, "'ip_in' does not apply"),
            (#"{"type":"attrs","attrs":[{"name":"privileged","match":"in","value":[true]}]}"#, "'in' does not apply"),
            (#"{"type":"attrs","attrs":[{"name":"labels","match":"not","value":["x"]}]}"#, "'not' does not apply"),
            (#"{"type":"attrs","attrs":[{"name":"name","match":"exact","value":5}]}"#, "needs a string"),
            (#"{"type":"attrs","attrs":[{"name":"name","match":"in","value":"a"}]}"#, "needs a list"),
            (#"{"type":"attrs","attrs":[{"name":"name","match":"in","value":[]}]}"#, "needs a list"),
            (#"{"type":"attrs","attrs":[{"name":"name","match":"in","value":["a",1]}]}"#, "needs a string"),
            (#"{"type":"attrs","attrs":[{"name":"name","match":"contains","value":""}]}"#, "not empty"),
            (#"{"type":"attrs","attrs":[{"name":"privileged","value":"true"}]}"#, "true or false"),
            (#"{"type":"attrs","attrs":[{"name":"secret_type","value":"pin"}]}"#, "does not exist"),
            (#"{"type":"attrs","attrs":[{"name":"category","value":"boat"}]}"#, "does not exist"),
            (#"{"type":"attrs","attrs":[{"name":"type","value":"boat"}]}"#, "does not exist"),
            (#"{"type":"attrs","attrs":[{"name":"platform","value":99}]}"#, "platform that does not exist"),
            (#"{"type":"attrs","attrs":[{"name":"platform","value":"Beos"}]}"#, "platform that does not exist"),
            (#"{"type":"attrs","attrs":[{"name":"labels","match":"m2m","value":[]}]}"#, "needs a list"),
            (#"{"type":"attrs","attrs":[{"name":"labels","match":"m2m_all","value":["x"]}]}"#, "valid UUIDs"),
            (#"{"type":"attrs","attrs":[{"name":"address","match":"ip_in","value":"10.0.0.1/8"}]}"#, "10.0.0.1/8"),
            (#"{"type":"attrs","attrs":[{"name":"address","match":"ip_in","value":"192.168."}]}"#, "192.168."),
            (#"{"type":"attrs","attrs":[{"name":"name","value":"x","rel":"or"}]}"#, "'and'"),
            (#"{"type":"attrs","attrs":[{"name":"name","value":"x","negate":true}]}"#, "'negate'"),
            (#"{"type":"attrs","attrs":[{"name":"name","value":"x""#, "not JSON"),
        ])
    func refused(json: String, part: String) {
        let fault = #expect(throws: AccountFilterFault.self) { try AccountFilter(text: json) }
        #expect(fault?.description.contains(part) == true, "\(fault?.description ?? "")")
        #expect(fault?.description.contains("hunter2") == false)
    }

    @Test("sizes are bounded")
    func bounds() {
        let rule = #"{"name":"name","value":"x"}"#
        func attrs(_ n: Int) -> String {
            #"{"type":"attrs","attrs":[\#(Array(repeating: rule, count: n).joined(separator: ","))]}"#
        }
        #expect(throws: Never.self) { try AccountFilter(text: attrs(1_000)) }
        #expect(throws: AccountFilterFault.self) { try AccountFilter(text: attrs(1_001)) }
        func ids(_ n: Int) -> String {
            #"{"type":"ids","ids":[\#((0..<n).map { "\"\(text(UInt64($0)))\"" }.joined(separator: ","))]}"#
        }
        #expect(throws: Never.self) { try AccountFilter(text: ids(10_000)) }
        #expect(throws: AccountFilterFault.self) { try AccountFilter(text: ids(10_001)) }
    }

    @Test("all and ids select what they say")
    func simple() throws {
        #expect(try Self.compiled(#"{"type":"all","ids":[],"attrs":null}"#).matches(Self.root))
        #expect(try Self.compiled(#"{"type":"ids","ids":["\#(text(9))","\#(text(1))"]}"#).matches(Self.root))
        #expect(try !Self.compiled(#"{"type":"ids","ids":["\#(text(9))"]}"#).matches(Self.root))
    }

    @Test("a filter is written back in its wire form, which reads as the same filter")
    func written() throws {
        let json =
            #"{"type":"attrs","attrs":[{"name":"asset__name","match":"in","value":["a","b"],"rel":"and"},{"name":"platform","match":"exact","value":1,"rel":"and"},{"name":"labels","match":"m2m","value":["\#(text(7))"],"rel":"and"},{"name":"privileged","match":"not","value":false,"rel":"and"},{"name":"username","match":"in","value":["*"],"rel":"and"},{"name":"address","match":"ip_in","value":"10.0.0.0/8","rel":"and"}]}"#
        let filter = try AccountFilter(text: json)
        #expect(filter.text == json)
        #expect(try AccountFilter(text: filter.text) == filter)
    }

    @Test("a filter tells which facts it needs")
    func needs() throws {
        #expect(try Self.compiled(#"{"type":"all"}"#).needs == [])
        let rules =
            #"{"name":"labels","match":"m2m","value":["\#(text(1))"]},{"name":"nodes","match":"m2m","value":["\#(text(1))"]}"#
        #expect(try Self.compiled(#"{"type":"attrs","attrs":[\#(rules)]}"#).needs == [.labels, .nodes])
    }

    @Test("facts that no rule can judge match nothing")
    func unknownFacts() throws {
        var odd = Self.root
        odd.platform = Platform.ID(rawValue: 999)
        odd.address = "web-1.example"
        odd.labels = []
        odd.nodes = []
        for rule in [
            #"{"name":"platform","match":"not","value":5}"#, #"{"name":"category","match":"not","value":"database"}"#,
            #"{"name":"address","match":"ip_in","value":"0.0.0.0/0"}"#,
            #"{"name":"labels","match":"m2m_all","value":["\#(text(51))"]}"#,
            #"{"name":"nodes","match":"m2m_all","value":["\#(text(30))"]}"#,
        ] {
            #expect(try !Self.matches(rule, odd))
        }
    }

    @Test("arbitrary filters never trap; what is accepted reads back as itself")
    func fuzz() throws {
        var fuzzer = Fuzzer(
            seed: 9,
            samples: [
                #"{"type":"attrs","attrs":[{"name":"username","match":"in","value":["a","root"],"rel":"and"}]}"#,
                #"{"type":"attrs","attrs":[{"name":"address","match":"ip_in","value":"10.0.0.0/8"},{"name":"platform","value":1}]}"#,
                #"{"type":"ids","ids":["\#(text(1))"]}"#, #"{"type":"all"}"#,
            ])
        var accepted = 0
        for _ in 0..<Fuzzer.rounds(8_000) {
            guard let filter = try? AccountFilter(text: String(decoding: fuzzer.next(), as: UTF8.self)) else { continue }
            accepted += 1
            #expect(try AccountFilter(text: filter.text) == filter)
            _ = filter.compiled { _ in [] }.matches(Self.root)
        }
        #expect(accepted > 50)
    }
}
