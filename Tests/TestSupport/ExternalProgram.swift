internal import Glibc

/// A program of the system that a test compares with or drives: `openssl`, `python3`, one of our own.
package struct ExternalProgram {
    /// What a finished run left.
    package struct Outcome: Sendable {
        package let status: Int32
        package let output: [UInt8]
        package let errors: [UInt8]

        package var text: String { String(decoding: output, as: UTF8.self) }
        package var errorText: String { String(decoding: errors, as: UTF8.self) }
    }

    /// Runs a program found on the path to its end. `environment` is added to ours; a nil value removes a variable.
    ///
    /// Not by Foundation's `Process`: a program that is started on another thread at the same instant inherits the socket by which that
    /// one learns of the end, and as long as it runs, a server for one, the end is never seen.
    package static func run(
        _ name: String, _ arguments: [String], input: [UInt8] = [], environment: [String: String?] = [:]
    ) throws -> Outcome {
        let running = try RunningProgram(name, arguments, environment: environment)
        running.feed(input)
        while true {
            if let ending = running.poll() {
                let status =
                    switch ending {
                    case .status(let code): code
                    case .signal(let number): number
                    }
                return Outcome(
                    status: status, output: running.standardOutputBytes, errors: Array(running.standardError.utf8))
            }
            usleep(1000)
        }
    }
}
