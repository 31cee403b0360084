internal import Glibc

/// A program of the system that a test compares with or drives: `openssl`, `python3`, one of our own.
package enum ExternalProgram {
    /// Runs a program found on the path to its end, on the thread of whoever waits for it. `environment` is added to ours; a nil value removes a variable.
    ///
    /// Not by Foundation's `Process`: a program that is started on another thread at the same instant inherits the socket by which that
    /// one learns of the end, and as long as it runs, a server for one, the end is never seen.
    package static func run(
        _ name: String, _ arguments: [String], input: [UInt8] = [], environment: [String: String?] = [:]
    ) throws -> Finished {
        let running = try RunningProgram(name, arguments, environment: environment)
        running.feed(input)
        while true {
            if let ending = running.poll() {
                return Finished(ending: ending, output: running.standardOutputBytes, standardError: running.standardError)
            }
            usleep(1000)
        }
    }
}
