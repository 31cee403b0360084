import Cryptography
import Domain
import Foundation
import Glibc
import JSON
import Logging
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Audit
@testable import Server

/// Commands that note what they were asked, and fail where a test wants it.
private final class NotedCommands: ControlCommands {
    let calls = Mutex<[String]>([])
    let refusal: (any Error)?

    init(refusal: (any Error)? = nil) { self.refusal = refusal }

    private func note(_ call: String) throws {
        calls.withLock { $0.append(call) }
        if let refusal { throw refusal }
    }

    func status() async throws -> ControlAnswer {
        try note("status")
        return .done { $0.field("sealed", false) }
    }
    func unseal(_ key: ControlKey, by actor: Actor) async throws {
        guard case .recoveryCode(let code) = key, let typed = code.take() else { return try note("unseal key file") }
        try note("unseal " + typed.withBytes { String(decoding: $0, as: UTF8.self) } + " by " + actor.name)
    }
    func seal(by actor: Actor) async throws { try note("seal") }
    func snapshot(to directory: String) async throws -> ControlAnswer {
        try note("snapshot " + directory)
        return .done { $0.field("directory", directory) }
    }
    func reload() async throws { try note("reload") }
    func checkpoint() async throws -> ControlAnswer {
        try note("checkpoint")
        return .done { _ in }
    }
    func rekey(_ key: ControlKey, request: RequestID) async throws -> ControlAnswer { .done { $0.field("key", 2) } }

    func resetPassword(of username: String, to password: SecretHandoff, request: RequestID) async throws {
        try note("reset " + username)
    }
}

/// Runs something that blocks away from the threads that tasks share.
private func offPool<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
    }
}

/// A control socket with a real audit behind it.
private final class ControlFixture: Sendable {
    let scratch: TemporaryDirectory
    let commands: NotedCommands
    let server: ControlServer
    let audit: AuditLog
    let database: Database
    let path: String
    private var client: ControlClient { ControlClient(path: path, patience: .seconds(120)) }
    var isServerRunning: Bool { client.isServerRunning }

    /// Asks as another process would, not on a thread that the server's tasks need.
    @discardableResult
    func ask(_ command: ControlCommand) async throws -> JSONValue {
        let client = client
        return try await offPool { try client.send(command) }
    }

    init(refusal: (any Error)? = nil, deadline: Duration = .seconds(60), name: String = "control.sock") throws {
        scratch = try TemporaryDirectory()
        path = scratch.path + "/" + name
        database = try Database.open(at: scratch.path + "/audit.db")
        try database.migrate(Migration.audit)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        audit = try AuditLog.open(database, options: AuditOptions(), logger: logger)
        commands = NotedCommands(refusal: refusal)
        var limits = ControlServer.Limits()
        limits.deadline = deadline
        server = try ControlServer(
            path: path, desk: ControlDesk(commands: commands, audit: audit), limits: limits, logger: logger)
        server.start()
    }

    deinit {
        server.stop()
        audit.close()
        database.close()
    }

    func entries() async throws -> [AuditEntry] {
        try await database.read { db in try AuditEntries.page(after: 0, limit: 100, db).map { try EntryReader.read($0.body) } }
    }

    /// Sends bytes as they are and returns what comes back.
    func raw(_ text: String) async throws -> String {
        try await python(
            """
            data = b""
            try:
                s.sendall(sys.stdin.buffer.read())
                while chunk := s.recv(4096): data += chunk
            except OSError: pass
            sys.stdout.buffer.write(data)
            """, input: text)
    }

    /// Runs a few lines of Python with a connected socket `s`.
    func python(before: String = "", _ lines: String, input: String = "") async throws -> String {
        let path = path
        let script = """
            import os, socket, sys
            \(before)
            s = socket.socket(socket.AF_UNIX); s.settimeout(120); s.connect(sys.argv[1])
            \(lines)
            """
        let ran = try await offPool { try ExternalProgram.run("python3", ["-c", script, path], input: Array(input.utf8)) }
        // What went wrong in the script itself is seen where its output is compared.
        return ran.text + ran.standardError
    }
}

@Suite("ControlServer")
struct ControlServerTests {
    @Test("a command is carried out and answered, and who gave it is in the audit")
    func commands() async throws {
        let fixture = try ControlFixture()
        #expect(try await fixture.ask(.status)["sealed"]?.bool == false)
        #expect(try await fixture.ask(.snapshot(directory: "/a"))["directory"]?.string == "/a")
        let code = SecretHandoff(Secret(copying: Array("ABCD".utf8).withUnsafeBytes { $0 }))
        try await fixture.ask(.unseal(.recoveryCode(code)))
        let me = OperatorName.current
        #expect(fixture.commands.calls.withLock { $0 } == ["status", "snapshot /a", "unseal ABCD by " + me])
        let entries = try await fixture.entries()
        #expect(entries.map(\.action.rawValue) == ["control.status", "control.snapshot", "control.snapshot"])
        #expect(entries.map(\.phase) == [.single, .intent, .outcome])
        #expect(entries.allSatisfy { $0.actor == .operatorLocal(me) })
        #expect(Set(entries.dropFirst().map(\.request)).count == 1)
    }

    @Test("a refused command is recorded as refused and its reason told")
    func refused() async throws {
        let fixture = try ControlFixture(refusal: Refusal.notFound)
        let password = SecretHandoff(try SecureRandom.characters(count: 8, from: SecureRandom.alphanumerics))
        let fault = await #expect(throws: ControlFault.self) {
            try await fixture.ask(.resetPassword(username: "nobody", password: password))
        }
        #expect(fault?.code == "not_found")
        let entries = try await fixture.entries()
        #expect(entries.map(\.outcome) == [.open, .refused])
        #expect(entries.last?.objects.map(\.name) == ["nobody"])
    }

    @Test("what is no request is answered, recorded and not carried out")
    func malformed() async throws {
        let fixture = try ControlFixture()
        #expect(try await fixture.raw("{\"command\":\"explode\"}\n").contains("unknown_command"))
        // The server does not read on; the client may see no more than the end.
        _ = try await fixture.raw(String(repeating: "x", count: 100_000) + "\n")
        #expect(fixture.audit.status.head.seq == 2)
        #expect(fixture.commands.calls.withLock { $0 }.isEmpty)
    }

    @Test("a client that says nothing is cut, and does not hold up others")
    func slow() async throws {
        let fixture = try ControlFixture(deadline: .seconds(4))
        async let silent = fixture.python("print(s.recv(4096).decode())")
        try await fixture.ask(.status)
        #expect(try await silent.contains("malformed"))
    }

    @Test("hundreds of connections that say nothing do not keep the operator out")
    func idleFlood() async throws {
        // With a deadline that none of them reaches.
        let fixture = try ControlFixture(deadline: .seconds(600))
        let python = """
            held = [s]
            for number in range(300):
                t = socket.socket(socket.AF_UNIX); t.connect(sys.argv[1]); held.append(t)
            for number in range(20):
                with socket.socket(socket.AF_UNIX) as u:
                    u.settimeout(120); u.connect(sys.argv[1]); u.sendall(b'{"command":"status"}\\n')
                    print(u.recv(4096).decode().startswith('{"ok":true'))
            """
        let said = try await fixture.python(python)
        #expect(said == String(repeating: "True\n", count: 20), "\(said)")
        #expect(fixture.commands.calls.withLock { $0.count } == 20)
    }

    @Test("reading the audit is written down by the server that runs")
    func readsAudit() async throws {
        let fixture = try ControlFixture()
        try await fixture.ask(.readAudit(.verify))
        try await fixture.ask(.readAudit(.export))
        let entries = try await fixture.entries()
        #expect(entries.map(\.action.rawValue) == ["audit.verify", "audit.export"])
        #expect(entries.allSatisfy { $0.actor == .operatorLocal(OperatorName.current) && $0.outcome == .granted })
        #expect(fixture.commands.calls.withLock { $0.isEmpty })
    }

    @Test("the socket is closed to others, replaces a stale one, and goes when the server stops")
    func socketFile() async throws {
        let fixture = try ControlFixture()
        var status = stat()
        #expect(lstat(fixture.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        fixture.server.stop()
        #expect(access(fixture.path, F_OK) != 0)
        #expect(!fixture.isServerRunning)
        let fault = await #expect(throws: ControlFault.self) { try await fixture.ask(.status) }
        #expect(fault?.code == "not_running")
    }

    @Test("a path that is too long for a socket address works all the same")
    func longPath() async throws {
        let fixture = try ControlFixture(name: String(repeating: "x", count: 84))
        #expect(try await fixture.ask(.status)["sealed"]?.bool == false)
    }

    @Test(
        "another user is refused, recorded and told nothing",
        .enabled(if: geteuid() == 0, "becoming another user takes root"))
    func stranger() async throws {
        let fixture = try ControlFixture()
        chmod(fixture.scratch.path, 0o755)
        chmod(fixture.path, 0o666)
        let output = try await fixture.python(
            before: "os.setuid(65534)",
            """
            try:
                s.sendall(b'{"command":"status"}\\n')
                data = s.recv(4096)
            except OSError: data = b""
            print(len(data))
            """)
        #expect(output == "0\n")
        #expect(fixture.commands.calls.withLock { $0 }.isEmpty)
        let entries = try await fixture.entries()
        #expect(entries.map(\.outcome) == [.refused])
        #expect(entries.map(\.reason) == ["not the server's user"])
    }
}
