import Foundation
import TestSupport
import Testing

@Suite("keyturn help")
struct HelpTests {
    private static func help() async throws -> [HelpText] {
        let program = try CommandLineProgram()
        return try await HelpText.all { arguments in
            let outcome = try program.run(arguments)
            #expect(outcome.status == 0, "\(arguments)")
            return outcome.text
        }
    }

    /// Written anew when KEYTURN_UPDATE_GOLDEN is set; a change of it is a change for users.
    @Test("the help of every command is the one on record")
    func golden() async throws {
        var text = ""
        for help in try await Self.help() {
            text += "$ keyturn \((help.command + ["--help"]).joined(separator: " "))\n\(help.text)\n"
        }
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden/help.txt")
        if ProcessInfo.processInfo.environment["KEYTURN_UPDATE_GOLDEN"] != nil {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(text == (try String(contentsOf: file, encoding: .utf8)))
    }

    @Test("every command stands in docs/cli.md")
    func documented() async throws {
        for help in try await Self.help() where help.subcommands.isEmpty {
            #expect(try help.stands(in: Products.root + "/docs/cli.md", program: "keyturn"), "\(help.command)")
        }
    }

    @Test("every command can print JSON, but for the one that becomes another program")
    func json() async throws {
        let commands = try await Self.help().filter { $0.subcommands.isEmpty }
        #expect(commands.count > 30)
        for help in commands { #expect(help.text.contains("--json") == (help.command != ["run"]), "\(help.command)") }
    }

    @Test(
        "wrong usage ends with status 2 and says what is wrong",
        arguments: [
            ["nonsense"], ["get"], ["get", "asset"], ["get", "a", "b", "--account-id", "c"], ["run"], ["run", "--env", "A=b/c"],
            ["run", "--env", "A", "--", "true"], ["run", "--env", "1A=b/c", "--", "true"], ["run", "--env", "A=b", "--", "true"],
            ["run", "--env", "A=b/c", "--env", "A=d/e", "--", "true"], ["login"], ["app", "create", "x"],
            ["app", "create", "x", "--ip", "*"], ["app", "create", "x", "--ip", "*", "--all-accounts", "--account", "a/b"],
            ["asset", "create", "x"], ["asset", "create", "x", "--address", "a", "--protocol", "ssh"],
            ["asset", "create", "x", "--address", "a", "--protocol", "ssh:70000"], ["asset", "list", "--limit", "0"],
            ["account", "create", "a", "b", "--secret-type", "rune"], ["account", "create", "a", "b", "--secret", "visible"],
            ["account", "set-secret", "a/b", "visible"], ["task", "create", "change", "x"], ["task", "create", "turn", "x"],
            ["task", "create", "change", "x", "--account", "a"], ["task", "create", "change", "x", "--asset", "a"],
            ["task", "create", "verify", "x", "--account", "a", "--asset", "b", "--specific-secret"], ["task", "retry"],
            ["account", "rotate"],
            ["task", "create", "change", "x", "--account", "a", "--asset", "b", "--timezone", "Europe/Berlin"],
            ["task", "create", "verify", "x", "--account", "a", "--asset", "b", "--include-system"],
        ])
    func usage(arguments: [String]) throws {
        let outcome = try CommandLineProgram().run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty && outcome.standardError.contains("Error"))
    }

    @Test("the program needs no library of the server")
    func libraries() throws {
        // What it asks for itself; libcurl brings libraries of its own.
        let libraries = try ExternalProgram.run("readelf", ["--dynamic", CommandLineProgram.path]).text
        #expect(libraries.contains("libcurl"))
        for name in ["microhttpd", "sqlite", "ssh2"] { #expect(!libraries.contains("lib\(name)"), "\(name)") }
    }
}
