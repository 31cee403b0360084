import Testing
import TestSupport

@Suite("Programs that tests run")
struct RunningProgramTests {
    @Test("input goes in, output and errors come out, apart from each other")
    func streams() async throws {
        let input = Array(repeating: UInt8(ascii: "x"), count: 300_000)
        let done = try await RunningProgram.run("sh", ["-c", "cat; echo oops >&2; exit 3"], input: input)
        #expect(done.ending == .status(3))
        #expect(done.output == input)
        #expect(done.standardError == "oops\n")
    }

    @Test("a program that does not read its input ends all the same")
    func deaf() async throws {
        let done = try await RunningProgram.run("true", input: Array(repeating: 0, count: 1_000_000))
        #expect(done.succeeded)
    }

    @Test("a program that hangs is cut off, with what it started")
    func hanging() async throws {
        let directory = try TemporaryDirectory()
        let mark = directory.file("mark")
        let started = ContinuousClock.now
        await #expect(throws: ProgramFault.self) {
            _ = try await RunningProgram.run("sh", ["-c", "(sleep 2; touch \(mark)) & sleep 60"], limit: .milliseconds(200))
        }
        #expect(ContinuousClock.now - started < .seconds(10))
        try await Task.sleep(for: .seconds(2.5))
        #expect(throws: ProgramFault.self) { try directory.read("mark") }
    }

    @Test("environment and directory are what was asked for")
    func surroundings() async throws {
        let directory = try TemporaryDirectory()
        let done = try await RunningProgram.run(
            "sh", ["-c", "pwd; echo $KEYTURN_SAMPLE; echo ${HOME-none}"],
            environment: ["KEYTURN_SAMPLE": "a b", "HOME": nil],
            directory: directory.path)
        #expect(done.text == "\(directory.path)\na b\nnone\n")
    }

    @Test("a program that is not there is an error that names it")
    func absent() async throws {
        await #expect(throws: ProgramFault.self) { _ = try await RunningProgram.run("no-such-program-anywhere") }
    }

    @Test("a conversation, line by line, and the end by a signal")
    func conversation() async throws {
        let program = try RunningProgram("sh", ["-c", "while read line; do echo \"got $line\"; done; sleep 60"])
        try program.send("one\n")
        try await program.waitForOutput("got one", .seconds(10))
        try program.send("two\n")
        try await program.waitForOutput("got two", .seconds(10))
        #expect(program.poll() == nil)
        program.signal(9)
        #expect(try await program.wait(.seconds(10)) == .signal(9))
    }

    @Test("waiting for words of a program that ends without them is an error")
    func silence() async throws {
        let program = try RunningProgram("sh", ["-c", "echo other; exit 4"])
        await #expect(throws: ProgramFault.self) { try await program.waitForOutput("words", .seconds(10)) }
    }

    @Test("a temporary directory is its owner's alone, and goes with everything in it")
    func directories() async throws {
        var directory: TemporaryDirectory? = try TemporaryDirectory()
        let path = try #require(directory?.path)
        _ = try await RunningProgram.run("sh", ["-c", "mkdir -p a/b; echo c > a/b/c; ln -s / a/root"], directory: path)
        let mode = try await RunningProgram.run("stat", ["-c", "%a", path])
        #expect(mode.text == "700\n")
        directory = nil
        let gone = try await RunningProgram.run("stat", [path])
        #expect(!gone.succeeded)
        let root = try await RunningProgram.run("stat", ["/tmp"])
        #expect(root.succeeded)
    }
}
