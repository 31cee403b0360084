internal import Foundation

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
    package static func run(
        _ name: String, _ arguments: [String], input: [UInt8] = [], environment: [String: String?] = [:]
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: name.contains("/") ? name : "/usr/bin/env")
        process.arguments = name.contains("/") ? arguments : [name] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment.compactMapValues { $0 }) { $1 }
            .filter { name, _ in environment[name].map { $0 != nil } ?? true }
        let scratch = try TemporaryDirectory()
        // Files, not pipes: a full pipe would stop the program.
        let inputFile = try scratch.write(input, to: "input")
        let outputFile = try scratch.write([], to: "output")
        let errorFile = try scratch.write([], to: "errors")
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: inputFile))
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: outputFile))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errorFile))
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: try [UInt8](Data(contentsOf: URL(fileURLWithPath: outputFile))),
            errors: try [UInt8](Data(contentsOf: URL(fileURLWithPath: errorFile))))
    }
}
