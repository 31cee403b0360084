import Foundation
import TestSupport

/// The built program, run against a stand-in server with settings of its own.
struct CommandLineProgram {
    static let shared = Result { try StubKeyturn.start() }

    let server: StubServer
    private let directory: TemporaryDirectory
    var home: String { directory.path }
    var sessionFile: String { directory.path + "/config/session.json" }

    init() throws {
        server = try Self.shared.get()
        directory = try TemporaryDirectory()
    }

    /// Beside the tests.
    static var path: String {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent(
            "keyturn"
        ).path
    }

    /// As an application with a key.
    var key: [String: String] {
        [
            "KEYTURN_URL": server.endpoint, "KEYTURN_KEY_ID": StubKeyturn.keyID, "KEYTURN_KEY_SECRET": StubKeyturn.keySecret,
            "KEYTURN_CA": server.certificateAuthority,
        ]
    }

    func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) throws -> Finished {
        var all: [String: String?] = ["KEYTURN_CONFIG": home + "/config", "COLUMNS": nil]
        for (name, value) in environment { all[name] = value }
        return try ExternalProgram.run(Self.path, arguments, input: Array(input.utf8), environment: all)
    }

    func asApplication(_ arguments: [String], _ more: [String: String] = [:]) throws -> Finished {
        try run(arguments, environment: key.merging(more) { $1 })
    }

    func logIn() throws -> Finished {
        try run(["login", server.endpoint, "--ca", server.certificateAuthority], input: StubKeyturn.password + "\n")
    }

    func write(_ text: String, to name: String) throws -> String { try directory.write(text, to: name) }
}
