import Foundation
import Glibc
import JSON
import Outbound
import Synchronization
import TestSupport
import Testing

/// What operators do to a server that clients are using.
@Suite("Steady service")
struct SteadyServiceTests {
    /// Clients that fetch on connections kept open until they are told to stop, and what came of it.
    private final class Fetchers: Sendable {
        private let isOver = Atomic(false)
        private let statuses = Mutex<[Int: Int]>([:])
        private let failures = Mutex<[String]>([])

        var counted: [Int: Int] { statuses.withLock { $0 } }
        var granted: Int { counted[200, default: 0] }
        var failed: [String] { failures.withLock { $0 } }

        /// Waits until so many were granted, however long that takes here; ends early when a client has failed.
        func grants(_ count: Int) async throws {
            while granted < count, failed.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        }

        func stop() { isOver.store(true, ordering: .relaxed) }

        func run(_ vault: SmallVault, clients: Int) async {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<clients {
                    group.addTask {
                        let connection = APIConnection(vault.server)
                        while !self.isOver.load(ordering: .relaxed) {
                            do {
                                let status = try await vault.key.fetch(over: connection).status
                                self.statuses.withLock { $0[status, default: 0] += 1 }
                            } catch {
                                self.failures.withLock { $0.append("\(error)") }
                                return
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("a new certificate is taken into use under load without a single failed request", .timeLimit(.minutes(10)))
    func reload() async throws {
        let vault = try await SmallVault.start()
        let fetchers = Fetchers()
        async let work: Void = fetchers.run(vault, clients: 4)
        let program = try #require(vault.server.program)
        for round in 1...5 {
            // Signals of one kind that wait are one, so each waits until the one before it was heard.
            program.signal(SIGHUP)
            while Self.reloads(vault) < round, program.poll() == nil { try await Task.sleep(for: .milliseconds(10)) }
            try await fetchers.grants(round * 8)
        }
        fetchers.stop()
        await work
        #expect(fetchers.failed.isEmpty, "\(fetchers.failed.prefix(3))")
        #expect(fetchers.counted.keys.allSatisfy { $0 == 200 } && fetchers.granted >= 40, "\(fetchers.counted)")
        #expect(Self.reloads(vault) == 5)
        #expect(try await vault.server.stop() == .status(0))
    }

    private static func reloads(_ vault: SmallVault) -> Int {
        vault.server.log.components(separatedBy: "read again").count - 1
    }

    @Test(
        "a stop in the middle of work answers or refuses, loses nothing, and every answer stands in the audit",
        .timeLimit(.minutes(10)))
    func stop() async throws {
        let vault = try await SmallVault.start()
        let fetchers = Fetchers()
        async let work: Void = fetchers.run(vault, clients: 4)
        try await fetchers.grants(11)
        let started = ContinuousClock.now
        #expect(try await vault.server.stop() == .status(0))
        // A connection that is kept open may be idle for longer.
        #expect(ContinuousClock.now - started < .seconds(60))
        fetchers.stop()
        await work
        #expect(fetchers.counted.keys.allSatisfy { $0 == 200 } && fetchers.granted > 10, "\(fetchers.counted)")
        let audit = try await AuditExport(vault.server)
        #expect(audit.entries("secret.fetch", outcome: "granted").count >= fetchers.granted)
        // The last one but for the export itself.
        #expect(audit.entries.suffix(2).map { $0["action"]?.string } == ["server.stop", "audit.export"])
        #expect(try await AuditExport.isWhole(vault.server))
    }

    @Test("a sealed server refuses with 503 on connections that are open, and serves on them again once it is unsealed")
    func seal() async throws {
        let vault = try await SmallVault.start()
        let connection = APIConnection(vault.server)
        #expect(try await vault.key.fetch(over: connection).status == 200)
        #expect(try await vault.server.operate(["seal"]).succeeded)
        let sealed = try await vault.key.fetch(over: connection)
        #expect(sealed.status == 503 && sealed.string("code") == "sealed", "\(sealed.text)")
        #expect(try await vault.admin.call(.get, "/api/v1/accounts/accounts/").status == 503)
        #expect(try await vault.server.operate(["unseal", "--key-file"]).succeeded)
        #expect(try await vault.key.fetch(over: connection).status == 200)
        // What was refused meanwhile was written down unsigned, and is signed over now.
        #expect(try await AuditExport.isWhole(vault.server))
    }

    @Test("a copy of the running server serves the same secrets elsewhere, with the recovery code alone")
    func restore() async throws {
        let vault = try await SmallVault.start()
        let fetchers = Fetchers()
        async let work: Void = fetchers.run(vault, clients: 2)
        let copy = vault.server.directory.file("copy")
        let made = try await vault.server.operate(["snapshot", copy])
        fetchers.stop()
        await work
        #expect(made.succeeded, "\(made.standardError)")
        #expect(fetchers.counted.keys.allSatisfy { $0 == 200 }, "a snapshot keeps nobody waiting: \(fetchers.counted)")
        let code = try vault.server.directory.read("data.recovery-code")
        try await vault.server.kill()
        // The machine is gone: its data, its keys, everything but the copy and the code.
        for path in [vault.server.data, vault.server.firstLogin.keyDirectory] { try FileManager.default.removeItem(atPath: path) }

        let restored = try await RunningProgram.run(
            Products.keyturnd, ["restore", copy, "--data", vault.server.data, "--json"], input: code)
        #expect(restored.succeeded, "\(restored.standardError)")
        try await vault.server.start()
        let answer = try await vault.key.fetch(over: APIConnection(vault.server))
        #expect(answer.status == 200 && answer.string("secret") == SmallVault.secret, "\(answer.text)")
        #expect(try await AuditExport.isWhole(vault.server))
        #expect(try await AuditExport(vault.server).entries("account.create", outcome: "granted").count == 1)
    }
}
