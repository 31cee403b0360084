internal import Domain
internal import JSON
import Testing
internal import TestSupport

@testable import API

@Suite("Bodies of the admin API")
struct InputFuzzTests {
    private static let samples = [
        #"{"name":"db-1","address":"db.example","platform":{"id":19},"labels":["env:prod",{"name":"a","value":"b"}],"use_ssl":true}"#,
        #"{"name":"w","address":"10.0.0.1","platform":"Linux","protocols":[{"name":"ssh","port":22}],"nodes_display":["/Default"]}"#,
        #"{"name":"w","nodes":[{"pk":"00000000-0000-0000-0000-000000000009"}],"spec_info":{"pg_ssl_mode":{"value":"require"}}}"#,
        #"{"asset":"00000000-0000-0000-0000-000000000009","username":"root","secret":"x","secret_type":"password","su_from":null}"#,
        #"{"name":"key","ip_group":["10.0.0.0/8","::1"],"is_strict":true,"is_active":true,"date_expires":"2030/01/01 00:00:00 +0000"}"#,
        #"{"name":"t","accounts":["@ALL"],"assets":[],"nodes":["00000000-0000-0000-0000-000000000009"],"secret_strategy":"random"}"#,
        #"{"name":"t","accounts":["root"],"is_periodic":true,"crontab":"0 3 * * sun","timezone":"Europe/Berlin","recipients":["a@b"]}"#,
        #"{"value":"web","parent":{"id":"00000000-0000-0000-0000-000000000009"},"full_value":"/Default/web/front"}"#,
    ]

    @Test("whatever a body says, it is read or refused with messages about its fields")
    func fuzz() throws {
        var fuzzer = Fuzzer(seed: 11, samples: Self.samples)
        var accepted = 0
        for _ in 0..<Fuzzer.rounds(1000) {
            guard let value = try? JSONDocument.parse(fuzzer.next()) else { continue }
            for isPartial in [true, false] {
                accepted += try reads { _ = try AssetInput(JSONObjectReader(value), isPartial: isPartial) }
            }
            accepted += try reads { _ = try NodeInput(JSONObjectReader(value)) }
            accepted += try reads { _ = try AccountInput(JSONObjectReader(value), current: nil, keeps: false) }
            accepted += try reads { _ = try CredentialInput(value, current: nil, keeps: false) }
            for kind in TaskKind.allCases {
                accepted += try reads {
                    _ = try AutomationTaskInput(JSONObjectReader(value), kind: kind, current: nil, keeps: false)
                }
            }
        }
        #expect(accepted > 20)
    }

    /// 1 if it was read, 0 if it was refused in the expected way.
    private func reads(_ body: () throws -> Void) throws -> Int {
        do {
            try body()
            return 1
        } catch let errors as JSONFieldErrors {
            #expect(!errors.isEmpty)
            return 0
        } catch Refusal.invalid(let fields) {
            #expect(!fields.isEmpty)
            return 0
        }
    }

    @Test(
        "a label is an id or a pair, and nothing else", arguments: ["env:prod", "a:b:c", "", ":", "a:", ":b", "env", "x\u{0}:y"])
    func labels(text: String) throws {
        var writer = JSONWriter()
        writer.string(text)
        let read = try? JSONRule<LabelReference>.label.read(JSONDocument.parse(writer.bytes))
        let expected: [String: LabelReference] = [
            "env:prod": .pair(name: "env", value: "prod"), "a:b:c": .pair(name: "a", value: "b:c"),
        ]
        #expect(read == expected[text])
    }
}
