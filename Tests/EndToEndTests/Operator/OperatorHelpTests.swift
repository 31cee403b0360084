import Foundation
import TestSupport
import Testing

@Suite("keyturnd help")
struct OperatorHelpTests {
    private static func help() async throws -> [HelpText] {
        try await HelpText.all { arguments in
            let outcome = try await RunningProgram.run(Products.keyturnd, arguments, environment: ["COLUMNS": nil])
            #expect(outcome.succeeded, "\(arguments)")
            return outcome.text
        }
    }

    /// Written anew when KEYTURN_UPDATE_GOLDEN is set; a change of it is a change for operators.
    @Test("the help of every command is the one on record")
    func golden() async throws {
        var text = ""
        for help in try await Self.help() {
            text += "$ keyturnd \((help.command + ["--help"]).joined(separator: " "))\n\(help.text)\n"
        }
        let file = Products.root + "/Tests/EndToEndTests/Golden/keyturnd-help.txt"
        if ProcessInfo.processInfo.environment["KEYTURN_UPDATE_GOLDEN"] != nil {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        }
        #expect(text == (try String(contentsOfFile: file, encoding: .utf8)))
    }

    @Test("every command stands in docs/cli.md")
    func documented() async throws {
        for help in try await Self.help() where help.subcommands.isEmpty {
            #expect(try help.stands(in: Products.root + "/docs/cli.md", program: "keyturnd"), "\(help.command)")
        }
    }

    @Test("every command can print JSON")
    func json() async throws {
        let commands = try await Self.help().filter { $0.subcommands.isEmpty }
        #expect(commands.count > 12)
        for help in commands { #expect(help.text.contains("--json"), "\(help.command)") }
    }

    @Test(
        "wrong usage ends with status 2 and says what is wrong",
        arguments: [
            ["nonsense"], ["snapshot"], ["restore"], ["audit"], ["audit", "nonsense"], ["audit", "export", "--after", "x"],
            ["serve", "--nonsense"], ["unseal", "CODE"], ["admin", "reset-password", "admin", "visible-password"],
        ])
    func usage(arguments: [String]) async throws {
        let outcome = try await RunningProgram.run(Products.keyturnd, arguments)
        if arguments == ["audit"] {
            // A group of commands tells which there are.
            #expect(outcome.succeeded && outcome.text.contains("verify"))
        } else {
            #expect(outcome.ending == .status(2))
            #expect(outcome.output.isEmpty && outcome.standardError.contains("Error"))
        }
    }

    @Test("settings that cannot be used end with status 1 and name the key, never the value")
    func settings() async throws {
        let scratch = try TemporaryDirectory()
        let file = try scratch.write("loops: hunter2\n", to: "keyturn.yaml")
        let outcome = try await RunningProgram.run(Products.keyturnd, ["serve", "--config", file])
        #expect(outcome.ending == .status(1))
        #expect(outcome.standardError.contains("line 1: loops"))
        #expect(!outcome.standardError.contains("hunter2"))
    }
}
