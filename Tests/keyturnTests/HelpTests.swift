import Foundation
import TestSupport
import Testing

@Suite("keyturn help")
struct HelpTests {
    static let commands = [
        "", "get", "run", "login", "logout", "app", "app list", "app create", "app show", "app delete", "app credential",
        "app credential list", "app credential create", "app credential delete", "asset", "asset list", "asset create",
        "asset show", "asset delete", "asset trust", "asset trust show", "asset trust pin", "asset trust clear",
        "asset trust confirm", "zone", "zone list", "zone create", "zone show", "zone delete", "account", "account list",
        "account create", "account show", "account set-secret", "account reveal",
        "account delete", "account rotate", "account verify", "account push", "task", "task list", "task create", "task show",
        "task dry-run", "task run", "task watch", "task records", "task retry", "task restore", "task cancel",
    ]

    /// Written anew when KEYTURN_UPDATE_GOLDEN is set; a change of it is a change for users.
    @Test("the help of every command is the one on record")
    func golden() throws {
        let program = try CommandLineProgram()
        var text = ""
        for command in Self.commands {
            let outcome = try program.run(command.split(separator: " ").map { String($0) } + ["--help"])
            #expect(outcome.status == 0)
            text += "$ keyturn \(command.isEmpty ? "" : command + " ")--help\n" + outcome.text + "\n"
        }
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Golden/help.txt")
        if ProcessInfo.processInfo.environment["KEYTURN_UPDATE_GOLDEN"] != nil {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(text == (try String(contentsOf: file, encoding: .utf8)))
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
        ])
    func usage(arguments: [String]) throws {
        let outcome = try CommandLineProgram().run(arguments)
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty && outcome.errorText.contains("Error"))
    }

    @Test("the program needs no library of the server")
    func libraries() throws {
        // What it asks for itself; libcurl brings libraries of its own.
        let libraries = try ExternalProgram.run("readelf", ["--dynamic", CommandLineProgram.path]).text
        #expect(libraries.contains("libcurl"))
        for name in ["microhttpd", "sqlite", "ssh2"] { #expect(!libraries.contains("lib\(name)"), "\(name)") }
    }
}
