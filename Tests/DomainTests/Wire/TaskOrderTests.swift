import Domain
import JSON
import TestSupport
import Testing

@Suite("Orders of tasks as text")
struct TaskOrderTests {
    static let full = TaskOrder(
        kind: .pushAccount, accounts: ["deploy", "@ALL", ""], assets: [.random()], nodes: [.random()],
        selection: [SelectedAccount(account: .random(), version: 3), SelectedAccount(account: .random())], secretType: .sshKey,
        strategy: .specific, passwordRules: #"{"length":20}"#, keyStrategy: .append,
        parameters: TaskParameters(["linux": ["shell": "/bin/\"sh", "modify_sudo": "true"], "push_account_mysql": [:]]),
        checksConnection: false, existing: .setSecret, includesPrivileged: true, includesSystem: true, worker: "ansible")

    @Test("an order comes back from its text as it was, and its text is always the same", arguments: TaskKind.allCases)
    func roundTrip(kind: TaskKind) throws {
        for var order in [Self.full, TaskOrder(kind: kind)] {
            order.kind = kind
            let read = try #require(TaskOrder(text: order.text))
            #expect(read == order)
            #expect(read.text == order.text)
        }
    }

    @Test("whatever the text is, it is an order or none")
    func fuzz() {
        var fuzzer = Fuzzer(seed: 21, samples: [Self.full.text, TaskOrder(kind: .verifyAccount).text])
        for _ in 0..<Fuzzer.rounds(1000) {
            guard let text = String(validating: fuzzer.next(), as: UTF8.self), let order = TaskOrder(text: text) else { continue }
            #expect(TaskOrder(text: order.text) == order)
        }
    }

    @Test("settings hold for the platform they name, and for the family that JumpServer's methods name")
    func parameters() {
        let parameters = TaskParameters([
            "push_account_posix": ["shell": "/bin/bash", "home": "/home/x"], "linux": ["shell": "/bin/sh"],
            "push_account_mysql": ["account_host": "%"], "postgresql": ["a": "b"],
        ])
        #expect(parameters.values(for: "linux") == ["shell": "/bin/sh", "home": "/home/x"])
        #expect(parameters.values(for: "mariadb") == ["account_host": "%"])
        #expect(parameters.values(for: "mysql") == ["account_host": "%"])
        #expect(parameters.values(for: "postgresql") == ["a": "b"])
        #expect(parameters.values(for: "redis") == [:])
    }

    @Test(
        "settings that are no plain values are refused",
        arguments: [
            "[]", #"{"linux":1}"#, #"{"linux":{"a":[]}}"#, #"{"a b":{}}"#, #"{"linux":{"a":null}}"#, #"{"linux":{"a":1.5}}"#,
        ])
    func badParameters(text: String) throws {
        let json = try JSONDocument.parse(text)
        #expect(throws: JSONFieldErrors.self) { try TaskParameters.rule.read(json) }
    }
}
