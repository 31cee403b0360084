import Foundation
import TestSupport

/// A real server and the errands that are done through it.
protocol ErrandSite: Sendable {
    var crash: CrashSite { get }
    var errands: [any Errand] { get }
    /// The most rejected logins that anybody of these, or somebody who works for Keyturn, has had.
    func mostRejections(_ subjects: [Subject]) async throws -> Int
}

/// What an errand is about in one round.
struct Party: Sendable {
    let errand: any Errand
    let subjects: [Subject]
}

extension ErrandSite {
    /// It, with its server running and the administrator logged in.
    func ready() async throws -> Self {
        if crash.server.program.map({ $0.poll() != nil }) ?? true { try await crash.server.start() }
        try await crash.logIn()
        return self
    }

    /// Accounts whose work is begun and not over, as the server's own database has it; none once the time is over or nothing is open.
    func open(limit: Duration = .seconds(300)) async throws -> Int {
        let deadline = ContinuousClock.now + limit
        let program =
            "import sqlite3, sys; print(sqlite3.connect(sys.argv[1], timeout=60).execute('SELECT count(*) FROM secret_changes').fetchone()[0])"
        while true {
            let read = try ExternalProgram.run("python3", ["-c", program, crash.server.data + "/keyturn.db"])
            guard read.status == 0, let count = Int(read.text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw ProgramFault.unexpected("reading the open changes", output: read.standardError)
            }
            if count == 0 || ContinuousClock.now > deadline { return count }
            try await Task.sleep(for: .milliseconds(300))
        }
    }
}
