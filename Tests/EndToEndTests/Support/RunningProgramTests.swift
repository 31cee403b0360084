import Foundation
import Glibc
import TestSupport
import Testing

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
        let started = ContinuousClock.now
        let program = try RunningProgram("sh", ["-c", "sleep 600 & echo \"started $! \"; sleep 600"])
        try await program.waitForOutput(" \n")
        let child = try #require(program.standardOutput.split(separator: " ").dropFirst().first.flatMap { Int32($0) })
        #expect(kill(child, 0) == 0)
        await #expect(throws: ProgramFault.self) { _ = try await program.wait(.milliseconds(200)) }
        // Gone, or dead and yet to be collected by whoever has adopted it.
        func isAlive() -> Bool {
            let stat = (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8)) ?? ""
            return !stat.isEmpty && !stat.contains(") Z ")
        }
        while isAlive(), ContinuousClock.now - started < .seconds(300) { try await Task.sleep(for: .milliseconds(10)) }
        #expect(ContinuousClock.now - started < .seconds(300))
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
        try await program.waitForOutput("got one")
        try program.send("two\n")
        try await program.waitForOutput("got two")
        #expect(program.poll() == nil)
        program.signal(9)
        #expect(try await program.wait() == .signal(9))
    }

    @Test("waiting for words of a program that ends without them is an error")
    func silence() async throws {
        let program = try RunningProgram("sh", ["-c", "echo other; exit 4"])
        await #expect(throws: ProgramFault.self) { try await program.waitForOutput("words") }
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
