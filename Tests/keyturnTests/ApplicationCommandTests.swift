import Foundation
import JSON
import TestSupport
import Testing

@Suite("keyturn get and run")
struct ApplicationCommandTests {
    let program: CommandLineProgram

    init() throws { program = try CommandLineProgram() }

    @Test("get prints the secret's bytes and nothing else", arguments: [["web 1/ü", "root"], ["--account-id", "7"]])
    func gets(arguments: [String]) throws {
        let outcome = try program.asApplication(["get"] + arguments)
        #expect(outcome.status == 0 && outcome.standardError.isEmpty)
        #expect(outcome.text == StubKeyturn.accountSecret)
    }

    @Test("get --json prints what is known of the secret too")
    func getsJSON() throws {
        let outcome = try program.asApplication(["get", "web 1/ü", "root", "--json"])
        let value = try JSONDocument.parse(outcome.output)
        #expect(value["secret"]?.string == StubKeyturn.accountSecret)
        #expect(value["version"]?.int == 3 && value["username"]?.string == "root")
    }

    @Test("the key may come from a private file")
    func credentialsFile() throws {
        let file = try program.write(
            """
            {"url":"\(program.server.endpoint)","key_id":"\(StubKeyturn.keyID)","key_secret":"\(StubKeyturn.keySecret)",
            "ca":"\(program.server.certificateAuthority)"}
            """, to: "key.json")
        #expect(try program.run(["get", "web 1/ü", "root", "--credentials", file]).text == StubKeyturn.accountSecret)
        let byVariable = try program.run(["get", "web 1/ü", "root"], environment: ["KEYTURN_CREDENTIALS": file])
        #expect(byVariable.text == StubKeyturn.accountSecret)
    }

    @Test(
        "each failure has its exit status, and nothing on standard output",
        arguments: [
            ("absent", 4), ("twice", 4), ("null", 4), ("forbidden", 4), ("busy", 4), ("sealed", 5), ("down", 5), ("garbage", 1),
            ("html", 1),
        ])
    func failures(asset: String, status: Int32) throws {
        let outcome = try program.asApplication(["get", asset, "root"])
        #expect(outcome.status == status)
        #expect(outcome.output.isEmpty && outcome.standardError.hasPrefix("keyturn: "))
    }

    @Test("a wrong key, a missing key and a server that is not there are told apart")
    func unreachable() throws {
        #expect(try program.asApplication(["get", "a", "b"], ["KEYTURN_KEY_SECRET": "wrong"]).status == 3)
        #expect(try program.asApplication(["get", "a", "b"], ["KEYTURN_URL": "https://localhost:1"]).status == 5)
        #expect(try program.asApplication(["get", "a", "b"], ["KEYTURN_CA": ""]).status == 5)
        let missing = try program.run(["get", "a", "b"])
        #expect(missing.status == 1 && missing.standardError.contains("KEYTURN_URL"))
    }

    @Test("a proxy of the environment is not used")
    func proxy() throws {
        let outcome = try program.asApplication(
            ["get", "--account-id", "7"], ["https_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"])
        #expect(outcome.status == 0)
    }

    @Test("run gives the secrets to the command in its environment, and the key not")
    func runs() throws {
        let script = #"printf '%s|%s|%s' "$SECRET" "$BY_ID" "${KEYTURN_KEY_SECRET-none}"; exit 7"#
        let arguments = ["run", "--env", "SECRET=web 1/ü/root", "--env", "BY_ID=00000000-0000-0000-0000-000000000007"]
        // The stand-in knows the account by its short id only, so the second is refused and the command does not run.
        let refused = try program.asApplication(arguments + ["--", "sh", "-c", script])
        #expect(refused.status == 4 && refused.output.isEmpty)
        let outcome = try program.asApplication(["run", "--env", "SECRET=web 1/ü/root", "--", "sh", "-c", script])
        #expect(outcome.status == 7)
        #expect(outcome.text == StubKeyturn.accountSecret + "||none")
        let kept = try program.asApplication(["run", "--keep-key", "--", "printenv", "KEYTURN_KEY_SECRET"])
        #expect(kept.text == StubKeyturn.keySecret + "\n")
    }

    @Test("a variable that was there before is replaced, and the rest of the environment stays")
    func replaces() throws {
        let outcome = try program.asApplication(
            ["run", "--env", "SECRET=web 1/ü/root", "--", "sh", "-c", #"printf '%s%s' "$SECRET" "$OTHER""#],
            ["SECRET": "old", "OTHER": "stays"])
        #expect(outcome.text == StubKeyturn.accountSecret + "stays")
    }

    @Test("a command that is not there, or cannot be run, ends as in a shell")
    func notFound() throws {
        #expect(try program.asApplication(["run", "--", "no-such-command-here"]).status == 127)
        let file = try program.write("", to: "plain")
        #expect(try program.asApplication(["run", "--", file]).status == 126)
    }
}
