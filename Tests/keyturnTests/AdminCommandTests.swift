import Foundation
import JSON
import TestSupport
import Testing

@Suite("keyturn login, asset, account, app")
struct AdminCommandTests {
    let program: CommandLineProgram

    init() throws { program = try CommandLineProgram() }

    private func json(_ arguments: [String], input: String = "") throws -> JSONValue {
        let outcome = try program.run(arguments + ["--json"], input: input)
        #expect(outcome.status == 0, "\(outcome.standardError)")
        return try JSONDocument.parse(outcome.output)
    }

    @Test("a log-in is kept privately, and forgotten by logout")
    func session() throws {
        #expect(try program.run(["asset", "list"]).status == 3)
        let wrong = try program.run(
            ["login", program.server.endpoint, "--ca", program.server.certificateAuthority], input: "wrong\n")
        #expect(wrong.status == 3 && wrong.standardError.contains("Wrong name or password."))
        let outcome = try program.logIn()
        #expect(outcome.status == 0 && outcome.output.isEmpty)
        let mode = { try FileManager.default.attributesOfItem(atPath: $0)[.posixPermissions] as? Int }
        #expect(try mode(program.sessionFile) == 0o600)
        #expect(try mode(program.home + "/config") == 0o700)
        #expect(try program.run(["asset", "list"]).status == 0)
        let copy = try String(contentsOfFile: program.sessionFile, encoding: .utf8)
        #expect(try program.run(["logout"]).status == 0)
        #expect(try program.run(["asset", "list"]).status == 3)
        // The token is dead for whoever kept a copy of it.
        let kept = try program.write(copy, to: "config/session.json")
        #expect(kept == program.sessionFile)
        #expect(try program.run(["asset", "list"]).standardError.contains("Authentication credentials were not provided."))
    }

    @Test("with --json, what the server answers with nothing is an object too")
    func objects() throws {
        let login = ["login", program.server.endpoint, "--ca", program.server.certificateAuthority]
        let session = try json(login, input: StubKeyturn.password + "\n")
        #expect(session["url"]?.string == program.server.endpoint && session["username"]?.string == "admin")
        #expect(session["date_expired"]?.string?.isEmpty == false)
        let asset = try json(["asset", "create", "json", "--address", "h"])
        _ = try json(["account", "create", "json", "a"], input: "x")
        let account = try json(["account", "delete", "json/a", "--yes"])
        #expect(account["deleted"]?.bool == true && account["id"]?.string != nil)
        #expect(try json(["asset", "delete", "json", "--yes"])["id"]?.string == asset["id"]?.string)
        #expect(try json(["logout"])["was_logged_in"]?.bool == true)
        #expect(try json(["logout"])["was_logged_in"]?.bool == false)
    }

    @Test("a password typed at a terminal is not echoed")
    func hiddenPrompt() throws {
        let script = """
            import os, pty, sys
            child, terminal = pty.fork()
            if child == 0: os.execv(sys.argv[1], sys.argv[1:])
            seen = b""
            while b": " not in seen: seen += os.read(terminal, 1024)
            os.write(terminal, b'open "sesame"\\n')
            try:
                while True:
                    more = os.read(terminal, 1024)
                    if not more: break
                    seen += more
            except OSError: pass
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen)
            """
        let outcome = try ExternalProgram.run(
            "python3",
            [
                "-c", script, CommandLineProgram.path, "login", program.server.endpoint, "--ca",
                program.server.certificateAuthority,
            ],
            environment: ["KEYTURN_CONFIG": program.home + "/config"])
        #expect(outcome.text.hasPrefix("0 "))
        #expect(outcome.text.contains("Password of admin: ") && outcome.text.contains("logged in as admin"))
        #expect(!outcome.text.contains("sesame"))
    }

    @Test("an asset and an account are made, found by name, revealed after the password, changed and deleted")
    func story() throws {
        #expect(try program.logIn().status == 0)
        let asset = try json([
            "asset", "create", "story db", "--address", "10.1.2.3", "--platform", "PostgreSQL", "--protocol", "postgresql:5432",
        ])
        #expect(asset["protocols"]?.array?.first { _ in true }?["port"]?.int == 5432)
        #expect(asset["platform"]?.int == 17)
        let table = try program.run(["asset", "list", "--search", "story"]).text
        #expect(table.contains("ADDRESS") && table.contains("10.1.2.3"))

        let account = try json(["account", "create", "story db", "app"], input: "first secret\n")
        #expect(account["secret"] == nil && account["username"]?.string == "app")
        #expect(try program.run(["account", "show", "story db/app"]).text.contains("secret_type  password"))
        let unconfirmed = try program.run(["account", "reveal", "story db/app"], input: "wrong\n")
        #expect(unconfirmed.status == 1 && unconfirmed.output.isEmpty)
        let revealed = try program.run(["account", "reveal", "story db/app"], input: StubKeyturn.password + "\n")
        #expect(revealed.status == 0 && revealed.text == "first secret")
        #expect(try program.run(["account", "set-secret", "story db/app"], input: "second\n").status == 0)
        #expect(try program.run(["account", "reveal", "story db/app"]).text == "second")
        #expect(try program.run(["account", "set-secret", "story db/app"], input: "").status == 2)

        #expect(try program.run(["account", "delete", "story db/app"]).status == 2)
        #expect(try program.run(["account", "delete", "story db/app", "--yes"]).status == 0)
        #expect(try program.run(["account", "show", "story db/app"]).status == 4)
        #expect(try program.run(["asset", "delete", "story db", "--yes"]).status == 0)
        #expect(try program.run(["asset", "show", "story db"]).status == 4)
    }

    @Test("what is believed of an asset is shown, pinned, cleared and confirmed, the last after the password")
    func trust() throws {
        #expect(try program.logIn().status == 0)
        _ = try json(["asset", "create", "far", "--address", "10.9.9.9"])
        let shown = try program.run(["asset", "trust", "show", "far"])
        #expect(shown.text.contains("ssh-host-key:SHA256:old") && shown.text.contains("is_paused  yes"))
        let key = "SHA256:" + String(repeating: "a", count: 43)
        let pinned = try json(["asset", "trust", "pin", "far", "--host-key", key, "--policy", "strict"])
        #expect(pinned["systems"]?.array.map { $0.map { $0.string } } == ["ssh-host-key:" + key])
        #expect(pinned["policy"]?.string == "strict")
        for wrong in [["--host-key", "MD5:aa"], ["--host-key", "SHA256:short"], [], ["--policy", "always"]] {
            #expect(try program.run(["asset", "trust", "pin", "far"] + wrong).status == 2)
        }
        // Asks first, and without a terminal needs the word.
        #expect(try program.run(["asset", "trust", "clear", "far"]).status == 2)
        #expect(try json(["asset", "trust", "show", "far"])["systems"]?.array.map { Array($0).count } == 1)
        #expect(try json(["asset", "trust", "clear", "far", "--yes"])["systems"]?.array.map { Array($0).count } == 0)

        #expect(try program.run(["asset", "trust", "confirm", "far"], input: StubKeyturn.password).status == 2)
        #expect(try program.run(["asset", "trust", "confirm", "far", "--yes"], input: "wrong\n").status == 1)
        let confirmed = try json(["asset", "trust", "confirm", "far", "--yes"], input: StubKeyturn.password + "\n")
        #expect(confirmed["is_paused"]?.bool == false)
        #expect(try program.run(["asset", "trust", "show", "nothing"]).status == 4)
    }

    @Test("a key's secret is kept as given, with its line break where it is a key file")
    func lineBreaks() throws {
        #expect(try program.logIn().status == 0)
        _ = try json(["asset", "create", "keys", "--address", "h"])
        _ = try json(["account", "create", "keys", "k", "--secret-type", "ssh_key"], input: "-----BEGIN\nx\n")
        let revealed = try program.run(["account", "reveal", "keys/k"], input: StubKeyturn.password)
        #expect(revealed.text == "-----BEGIN\nx\n")
    }

    @Test("a key's passphrase comes in the line before it, and only a key has one")
    func passphrases() throws {
        #expect(try program.logIn().status == 0)
        _ = try json(["asset", "create", "safe", "--address", "h"])
        let create = ["account", "create", "safe", "k", "--secret-type", "ssh_key", "--passphrase", "first-line"]
        // The stand-in shows what it was sent.
        let made = try json(create, input: "open sesame\r\n-----BEGIN\nx\n")
        #expect(made["passphrase"]?.string == "open sesame")
        let revealed = try program.run(["account", "reveal", "safe/k"], input: StubKeyturn.password)
        #expect(revealed.text == "-----BEGIN\nx\n")
        _ = try json(["account", "set-secret", "safe/k", "--passphrase", "first-line"], input: "word\n-----BEGIN\ny\n")
        for input in ["", "\nkey\n", "only-a-line", "only-a-line\n"] {
            #expect(try program.run(create, input: input).status == 2, "\(input)")
        }
        let noKey = try program.run(["account", "create", "safe", "p", "--passphrase", "first-line"], input: "a\nb\n")
        #expect(noKey.status == 2 && noKey.standardError.contains("only a private key"), "\(noKey.standardError)")
        #expect(try program.run(create.dropLast() + ["argument"], input: "a\nb\n").status == 2)
    }

    @Test("an application's key is shown once, or goes to a private file and not to the screen")
    func applications() throws {
        #expect(try program.logIn().status == 0)
        let file = program.home + "/app.json"
        let outcome = try program.run([
            "app", "create", "shop", "--ip", "10.0.0.0/8", "--all-accounts", "--credentials-file", file,
        ])
        #expect(outcome.status == 0 && !outcome.text.contains("SSSS"))
        let id = outcome.text.trimmingCharacters(in: .whitespacesAndNewlines)
        let kept = try JSONDocument.parse([UInt8](Data(contentsOf: URL(fileURLWithPath: file))))
        #expect(kept["key_id"]?.string == id && kept["key_secret"]?.string == String(repeating: "S", count: 36))
        #expect(kept["url"]?.string == program.server.endpoint)
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
        #expect(try program.run(["app", "create", "x", "--ip", "*", "--all-accounts", "--credentials-file", file]).status == 2)

        let shown = try json(["app", "show", "shop"])
        #expect(shown["ip_group"]?.array.map { $0.map { $0.string } } == ["10.0.0.0/8"])
        #expect(shown["accounts"]?["type"]?.string == "all")
        let key = try program.run(["app", "credential", "create", "shop", "--name", "next", "--strict"])
        #expect(key.text.contains("KEYTURN_KEY_ID=") && key.text.contains("KEYTURN_KEY_SECRET=SSSS"))
        let credentials = try json(["app", "credential", "list", "shop"])
        let credential = try #require(credentials.array?.first { $0["name"]?.string == "next" }?["id"]?.string)
        for (more, overlap) in [([], 3600), (["--overlap", "60"], 60)] as [([String], Int)] {
            let rotated = try program.run(["app", "credential", "rotate", "shop", credential] + more)
            #expect(rotated.text.contains("KEYTURN_KEY_SECRET=RRRR") && !rotated.text.contains("KEYTURN_KEY_ID=\(credential)"))
            #expect(rotated.standardError.contains("key \(credential) ends at in \(overlap) seconds"))
        }
        #expect(try program.run(["app", "credential", "rotate", "shop", credential, "--overlap", "2592001"]).status == 2)
        #expect(try program.run(["app", "credential", "delete", "shop", credential, "--yes"]).status == 0)
        #expect(try program.run(["app", "delete", "shop", "--yes"]).status == 0)
        #expect(try program.run(["app", "show", "shop"]).status == 4)
    }
}
