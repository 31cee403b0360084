import Foundation
package import Glibc
import Synchronization

/// A program that a test started: its input is a pipe, its output goes to files that can be read while it runs.
///
/// It is killed when the value goes, with everything that it started (it leads a process group of its own).
package final class RunningProgram: Sendable {
    package let name: String
    package let pid: pid_t
    private let input: Mutex<Descriptor?>
    private let output: Descriptor
    private let errors: Descriptor
    private let ending = Mutex<Ending?>(nil)

    /// How a program ended: by itself with a status, or by a signal.
    package enum Ending: Sendable, Equatable, CustomStringConvertible {
        case status(Int32)
        case signal(Int32)

        package var description: String {
            switch self {
            case .status(let code): "status \(code)"
            case .signal(let number): "signal \(number)"
            }
        }
    }

    /// Starts `program`: a path, or a name that is looked up on PATH.
    ///
    /// - Parameters:
    ///   - environment: Added to the environment of the tests; nil removes a variable.
    ///   - logs: A directory in which `<name>.out` and `<name>.err` stay; without one the output goes with the value.
    package init(
        _ program: String, _ arguments: [String] = [], environment: [String: String?] = [:],
        directory: String? = nil, logs: (directory: String, name: String)? = nil
    ) throws(ProgramFault) {
        name = program.split(separator: "/").last.map(String.init) ?? program
        output = try Self.sink(logs.map { "\($0.directory)/\($0.name).out" })
        errors = try Self.sink(logs.map { "\($0.directory)/\($0.name).err" })
        let pipe = try Descriptor.pipe()
        input = Mutex(pipe.write)
        pid = try Spawn.start(
            program, arguments, environment: environment, directory: directory,
            standard: (pipe.read.number, output.number, errors.number))
    }

    deinit {
        guard ending.withLock({ $0 }) == nil else { return }
        kill(-pid, SIGKILL)
        kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    private static func sink(_ path: String?) throws(ProgramFault) -> Descriptor {
        if let path { return try Descriptor.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, mode: 0o600) }
        return try Descriptor.unnamed()
    }
}

extension RunningProgram {
    package func send(_ text: String) throws(ProgramFault) {
        guard let pipe = input.withLock({ $0 }) else { throw .unexpected("the input of \(name) is closed", output: "") }
        try pipe.write(Array(text.utf8))
    }

    package func closeInput() {
        input.withLock { $0 = nil }
    }

    /// Sends everything and closes the input, without waiting: a program need not read what it is given, and a pipe that is
    /// full must hold a thread of its own and not the test.
    package func feed(_ bytes: [UInt8]) {
        let pipe = input.withLock { pipe in
            defer { pipe = nil }
            return pipe
        }
        // The thread is the last to hold the pipe; when it is done, the pipe is closed.
        Thread.detachNewThread { try? pipe?.write(bytes) }
    }

    /// What it has written so far.
    package var standardOutput: String { text(of: output) }
    package var standardError: String { text(of: errors) }
    package var standardOutputBytes: [UInt8] { (try? output.readAll()) ?? [] }

    private func text(of sink: Descriptor) -> String {
        String(decoding: (try? sink.readAll()) ?? [], as: UTF8.self)
    }

    package func signal(_ number: Int32) {
        ending.withLock { if $0 == nil { kill(pid, number) } }
    }

    /// The ending, or nil while it runs.
    package func poll() -> Ending? {
        ending.withLock { known in
            if let known { return known }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
            // The macros WIFEXITED and WEXITSTATUS, which are not imported.
            let low = status & 0x7F
            known = low == 0 ? .status((status >> 8) & 0xFF) : .signal(low)
            return known
        }
    }

    /// Waits for the end; a program that is not done by then is killed, and that is an error.
    package func wait(_ limit: Duration = .seconds(180)) async throws -> Ending {
        let deadline = ContinuousClock.now + limit
        var pause = Duration.milliseconds(1)
        while true {
            if let ending = poll() { return ending }
            guard ContinuousClock.now < deadline else { break }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(20))
        }
        kill(-pid, SIGKILL)
        signal(SIGKILL)
        throw ProgramFault.timedOut(name, output: standardOutput + standardError)
    }

    /// Waits until its standard output or error contains `text`; ends early, with an error, when the program does.
    package func waitForOutput(_ text: String, _ limit: Duration = .seconds(180)) async throws {
        let deadline = ContinuousClock.now + limit
        while true {
            let ended = poll()
            let soFar = standardOutput + standardError
            if soFar.contains(text) { return }
            if let ended { throw ProgramFault.unexpected("\(name) ended with \(ended) before it said '\(text)'", output: soFar) }
            guard ContinuousClock.now < deadline else { throw ProgramFault.timedOut("'\(text)' of \(name)", output: soFar) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// What a program that ran to its end left.
package struct Finished: Sendable {
    package let ending: RunningProgram.Ending
    package let output: [UInt8]
    package let standardError: String

    package var text: String { String(decoding: output, as: UTF8.self) }
    package var succeeded: Bool { ending == .status(0) }
    /// The status with which it ended; of one that a signal ended, the signal's number.
    package var status: Int32 {
        switch ending {
        case .status(let code): code
        case .signal(let number): number
        }
    }
}

extension RunningProgram {
    /// Starts a program, gives it all of its input, and waits for its end, whatever its status.
    package static func run(
        _ program: String, _ arguments: [String] = [], input: [UInt8] = [], environment: [String: String?] = [:],
        directory: String? = nil, limit: Duration = .seconds(180)
    ) async throws -> Finished {
        let running = try RunningProgram(program, arguments, environment: environment, directory: directory)
        running.feed(input)
        let ending = try await running.wait(limit)
        return Finished(ending: ending, output: running.standardOutputBytes, standardError: running.standardError)
    }
}
