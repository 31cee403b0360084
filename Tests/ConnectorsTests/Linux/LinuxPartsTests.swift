import Cryptography
import Domain
import TestSupport
import Testing

@testable import Connectors

@Suite("Words of a shell")
struct ShellTextTests {
    @Test("what is quoted comes out of a real sh as it went in, one word")
    func quotes() throws {
        var random = SeededGenerator(seed: 81)
        var texts = [
            "", "-rf", "a;b", "$(id)", "`id`", "'", "''", "\\", "\\'", "a'b\"c", "\n", "*", "~", "!x", "%s", " lead",
            "é\u{1F511}", "$'x'",
        ]
        for _ in 0..<300 {
            let scalars = (0..<Int.random(in: 1...30, using: &random)).compactMap { _ in
                UnicodeScalar(UInt32.random(in: 1...0x17F, using: &random))
            }
            texts.append(String(String.UnicodeScalarView(scalars)))
        }
        let words = texts.map(ShellText.quoted).joined(separator: " ")
        let script = "for w in \(words); do printf '%s\\0' \"$w\"; done"
        // Twice, as a script within a script is.
        for line in [script, "sh -c \(ShellText.quoted(script))"] {
            let run = try ExternalProgram.run("sh", ["-c", line])
            let back = run.output.split(separator: 0, omittingEmptySubsequences: false).dropLast().map { Array($0) }
            #expect(back == texts.map { Array($0.utf8) })
        }
        #expect(ShellText.quoted("a\u{0}b") == "'ab'")
    }

    @Test("a name as an expression finds its own line and no other, in sed and in grep")
    func expressions() throws {
        let names = [
            "a.b", "a*b", "a[b]", "^a$", "a\\b", "a{2}", "(a|b)", "a+?", "it's", "a$b", "é", "a&b", "two words", "axb", "aa", "a",
        ]
        let list = names.map { "\($0):x\n" }.joined()
        for name in names {
            let sed = "/^\(ShellText.basicExpression(name)):/p"
            #expect(try ExternalProgram.run("sed", ["-n", sed], input: Array(list.utf8)).text == "\(name):x\n", "\(name)")
            let grep = "^\(ShellText.extendedExpression(name)):"
            #expect(try ExternalProgram.run("grep", ["-E", grep], input: Array(list.utf8)).text == "\(name):x\n", "\(name)")
        }
    }
}

@Suite("Frames of scripts")
struct ScriptFrameTests {
    @Test("a script gets its input whole or not at all, wherever it is cut")
    func input() throws {
        try Self.cut(ScriptFrame(.lines, isOnTerminal: false), "alice:first\nsecond 'line' \\ é")
        for shell in ["sh", "bash"] {
            try Self.cut(ScriptFrame(.line, isOnTerminal: false), "  alice:\\n one 'line' \\ é $a `id` \\", shell)
        }
    }

    private static func cut(_ frame: ScriptFrame, _ text: String, _ shell: String = "sh") throws {
        let script = frame.wrapped("cat")
        let whole = Array("\(text)\n\(frame.inputEnd)\n".utf8)
        let run = try ExternalProgram.run(shell, ["-c", script], input: whole)
        #expect(frame.answer(in: run.output)?.text == text && frame.hasHandedOver(run.output))
        for count in [0, 1, 5, 11, 12, 20, whole.count - 20, whole.count - 2] {
            let cut = try ExternalProgram.run(shell, ["-c", script], input: Array(whole.prefix(count)))
            #expect(frame.answer(in: cut.output)?.output.isEmpty == true, "\(count)")
        }
    }

    @Test("input is never a command of the shell that stays, though what reads it has died")
    func deadReader() throws {
        let frame = try ScriptFrame(.lines, isOnTerminal: false)
        for shell in ["sh", "bash"] {
            let dead = try ExternalProgram.run(
                shell, [], input: Array("sed() { :; }\n\(frame.line("cat"))echo exec''uted\n\(frame.inputEnd)\n".utf8))
            #expect(frame.answer(in: dead.output) != nil && !dead.text.contains("executed"), "\(dead.text)")
            let whole = try ExternalProgram.run(shell, ["-c", frame.line("cat")], input: Array("text\n\(frame.inputEnd)\n".utf8))
            #expect(frame.answer(in: whole.output)?.text == "text")
        }
    }

    @Test(
        "a script whose input was cut off, or whose reader was killed, is not told from one that was handed all by its status alone"
    )
    func handedOver() throws {
        let dead = "read() { /bin/sh -c '/bin/kill -9 $PPID'; }; sed() { read; }; "
        for shell in ["sh", "bash"] {
            for input in [ScriptFrame.Input.line, .lines] {
                let frame = try ScriptFrame(input, isOnTerminal: false)
                let whole = Array("a line\n\(frame.inputEnd)\n".utf8)
                let killed = try ExternalProgram.run(shell, ["-c", dead + frame.wrapped("cat; exit 0")], input: whole)
                #expect(frame.answer(in: killed.output)?.status == 0 && !frame.hasHandedOver(killed.output), "\(killed.text)")
                guard input == .line else { continue }
                let cut = try ExternalProgram.run(shell, ["-c", frame.wrapped("cat")], input: Array(whole.dropLast(3)))
                #expect(frame.answer(in: cut.output)?.status == 0 && !frame.hasHandedOver(cut.output))
            }
        }
        #expect(try ScriptFrame(.nothing, isOnTerminal: false).hasHandedOver([]))
    }

    @Test("status and output are told from noise before, between and after, and what lacks a mark is no answer")
    func answers() throws {
        let frame = try ScriptFrame(.nothing, isOnTerminal: true)
        let run = try ExternalProgram.run("sh", ["-c", frame.wrapped("echo one; echo two >&2; exit 42")])
        let noisy =
            Array("motd\r\n[keyturn] \r\n".utf8) + run.output.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] } + Array("bye\n".utf8)
        let answer = try #require(frame.answer(in: noisy))
        #expect(answer.status == 42 && answer.text == "one\ntwo")
        #expect(frame.answer(in: Array(noisy.prefix(noisy.count / 2))) == nil)
        let other = try ScriptFrame(.nothing, isOnTerminal: true)
        #expect(other.answer(in: noisy) == nil && !other.hasBegun(noisy))
        // The command line itself, echoed, has no mark.
        #expect(!frame.hasBegun(Array(frame.wrapped("true").utf8)))
    }

    @Test("no bytes crash the readers of answers")
    func fuzz() throws {
        let frame = try ScriptFrame(.lines, isOnTerminal: true)
        let sample = try ExternalProgram.run("sh", ["-c", frame.wrapped("echo x")], input: Array("\(frame.inputEnd)\n".utf8)).text
        let entry = """
            status 0
            passwd alice:x:1000:1000:,,,:/home/alice:/bin/bash
            uidmin 1000
            now 1760000000
            shadow set:20000:5:99999:7:::
            """
        let keys = "# c\nfrom=\"a b\",no-pty ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGB2 x\nssh-rsa AAAA\n"
        var fuzzer = Fuzzer(seed: 82, samples: [sample, entry, keys])
        for _ in 0..<Fuzzer.rounds(3000) {
            let bytes = fuzzer.next()
            _ = frame.answer(in: bytes)
            _ = try? LinuxEntry.parse(.init(status: 0, output: bytes), name: "alice")
            let read = AuthorizedKeys(bytes)
            #expect(AuthorizedKeys(read.bytes).bytes == read.bytes)
            #expect(RemoteWords.of(bytes).unicodeScalars.count <= RemoteWords.limit)
        }
    }
}

@Suite("What a Linux host says of an account")
struct LinuxEntryTests {
    static func parse(_ shadow: String, passwd: String = "alice:x:1000:1000::/home/alice:/bin/sh", now: Int64 = 20_000 * 86_400)
        throws -> LinuxEntry?
    {
        let text = "status 0\npasswd \(passwd)\nuidmin 500\nshadow \(shadow)\nnow \(now)"
        return try LinuxEntry.parse(.init(status: 0, output: Array(text.utf8)), name: "alice")
    }

    @Test("minimum age, expiry and the state of the password are read from shadow's fields")
    func shadow() throws {
        let young = try #require(try Self.parse("set:19999:5:99999:7:::"))
        #expect(young.minimumAgeEnds == Timestamp(seconds: 20_004 * 86_400) && young.password == .set && !young.isSystem)
        #expect(try Self.parse("set:19995:5:99999:7:::")?.minimumAgeEnds == nil)
        #expect(try Self.parse("set:0:5:99999:7:::")?.minimumAgeEnds == nil)
        #expect(try Self.parse("set:9223372036854775807:5:::::")?.minimumAgeEnds == nil)
        #expect(try Self.parse("set:19999:5:99999:7::20000:")?.isExpired == true)
        #expect(try Self.parse("set:19999:5:99999:7::20001:")?.isExpired == false)
        #expect(try Self.parse("locked:1::::::")?.account.isLocked == true)
        #expect(try Self.parse("")?.password == .elsewhere)
        #expect(try Self.parse("set", passwd: "alice:x:499:1::/:/bin/sh")?.isSystem == true)
        #expect(try Self.parse("set", passwd: "bob:x:1000:1::/:/bin/sh") == nil)
    }

    @Test(
        "the host's day is asked for where something depends on it, and is not done without",
        arguments: [
            ("20000:0:99999:7:::", false), ("20000::99999:7:::", false), ("::::::", false), ("0:0:::::", false),
            ("20000:5:99999:7:::", true), ("20000:5:0:7:::", true), ("20000:0:99999:7::20500:", true),
            ("20000:0:0:7:0:20500:", true),
        ])
    func day(dates: String, isAskedFor: Bool) throws {
        let programs = "getent() { case $1 in passwd) echo alice:x:1000:1000::/:/bin/sh;; *) echo 'alice:$y$h:\(dates)';; esac; }"
        let run = try ExternalProgram.run("sh", ["-c", "\(programs); \(LinuxEntry.script(for: "alice"))"])
        #expect(run.text.contains("shadow set:\(dates)\n") && run.text.contains("now ") == isAskedFor, "\(run.text)")
        let whole = LinuxShell.Answer(status: 0, output: run.output)
        #expect((try LinuxEntry.parse(whole, name: "alice"))?.password == .set)
        let without = run.text.split(separator: "\n").filter { !$0.hasPrefix("now ") }.joined(separator: "\n")
        let parse = { try LinuxEntry.parse(LinuxShell.Answer(status: 0, output: Array(without.utf8)), name: "alice") }
        if isAskedFor { #expect(throws: ConnectorFault.self) { try parse() } } else { #expect(try parse() != nil) }
    }

    @Test("who somebody is comes out of what id says, and out of nothing else")
    func identity() {
        let said = LinuxLogin.identity(in: "uid=1000(deploy) gid=1000(deploy) groups=1000(deploy),27(sudo)")
        #expect(said?.name == "deploy" && said?.uid == 1000)
        for text in [
            "", "uid=0", "uid=0 gid=0(root)", "uid=(root) gid=0", "id: cannot find name for user ID 5",
            "xuid=0(root) gid=0(root)",
        ] {
            #expect(LinuxLogin.identity(in: text) == nil, "\(text)")
        }
    }

    @Test("what makes no sense is a fault and not an account that is missing")
    func nonsense() {
        for passwd in ["", "alice", "alice:x:-5:1::/:/", "alice:x:99999999999999999999:1::/:/"] {
            #expect(throws: ConnectorFault.self) { try Self.parse("set", passwd: passwd) }
        }
    }
}

@Suite("Words of a target")
struct RemoteWordsTests {
    @Test("every run of six bytes of a secret is masked, and a short secret whole")
    func masks() {
        func words(_ text: String, _ secret: String) -> String {
            RemoteWords.of(Array(text.utf8), hiding: LinuxFixture.secret(secret))
        }
        #expect(words("user alice:S3cretValue! not changed", "S3cretValue!") == "user alice:************ not changed")
        #expect(words("cut: tValue!", "S3cretValue!") == "cut: *******")
        #expect(words("the Value of", "S3cretValue!") == "the Value of")
        #expect(words("pw is abc.", "abc") == "pw is ***.")
        #expect(words("nothing", "") == "nothing")
        #expect(words("S3cretS3cretValue!", "S3cretValue!") == "******************")
    }

    @Test("control characters, colours and line ends become blanks, and there is an end")
    func cleans() {
        #expect(RemoteWords.of(Array("a\u{1B}[31mb\r\n\tc\u{202E}d".utf8)) == "a [31mb c d")
        #expect(RemoteWords.of([UInt8](repeating: 0x41, count: 100_000)).count == 500)
        #expect(RemoteWords.of([0xFF, 0xFE, 0x41]).hasSuffix("A"))
    }

    @Test(
        "words of PAM's modules are told apart",
        arguments: [
            ("BAD PASSWORD: The password is shorter than 8 characters", PolicyRefusal.Kind.quality),
            ("Password has been already used. Choose another.", .history),
            ("You must wait longer to change your password", .minimumAge),
        ])
    func policy(words: String, kind: PolicyRefusal.Kind) {
        #expect(PolicyWords.kind(of: words) == kind)
        #expect(PolicyWords.kind(of: "Authentication token lock busy") == nil)
    }
}
