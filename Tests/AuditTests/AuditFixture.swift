import Cryptography
import Domain
import Glibc
import Logging
import Storage
import TestSupport

@testable import Audit

/// An audit database in a directory of its own, with a log on request.
struct AuditFixture {
    let directory: TemporaryDirectory
    let database: Database

    init() throws {
        directory = try TemporaryDirectory()
        database = try Database.open(at: directory.path + "/audit.db")
        try database.migrate(Migration.audit)
    }

    var checkpointPath: String { directory.path + "/checkpoints" }

    func options(_ change: (inout AuditOptions) -> Void = { _ in }) -> AuditOptions {
        var options = AuditOptions()
        options.checkpointFile = checkpointPath
        change(&options)
        return options
    }

    func open(_ change: (inout AuditOptions) -> Void = { _ in }) throws -> AuditLog {
        try AuditLog.open(database, options: options(change), logger: .silent)
    }

    /// A log's life in which `count` entries are written, signed if there is a key.
    func write(_ count: Int, key: Ed25519.SigningKey? = nil) throws {
        let log = try open()
        if let key { log.setSigningKey(key) }
        for number in 0..<count { try log.appendSync(.sample(number)) }
        log.close()
    }

    func change(_ sql: StaticString, _ values: [SQLValue] = []) throws {
        _ = try database.writeSync { try $0.execute(sql, values) }
    }

    func rows() throws -> [AuditRow] {
        try database.readSync { try AuditEntries.page(after: 0, limit: .max, $0) }
    }
}

extension AuditEntry {
    /// Entries that differ by their number.
    static func sample(_ number: Int) -> AuditEntry {
        let id = UInt64(number)
        return AuditEntry(
            time: Timestamp(milliseconds: 1_700_000_000_000 + Int64(number)),
            actor: .application(
                ApplicationID(high: 1, low: id % 7), name: "shop", credential: CredentialID(high: 2, low: id % 7)),
            address: "192.0.2.7", organization: OrganizationID(high: 0, low: 2), action: .fetch,
            objects: [
                AuditObject(kind: "account", id: AccountID(high: 3, low: id).description, name: "root-\(number)"),
                AuditObject(kind: "asset", id: AssetID(high: 4, low: id).description, name: "db-\(number)"),
            ],
            outcome: .granted, request: RequestID(high: 5, low: id), latency: 120, version: 3)
    }
}

extension Logger {
    static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// Memory of this process that is in use now (proc(5), `statm`).
func residentKibibytes() throws -> Int {
    let file = open("/proc/self/statm", O_RDONLY)
    guard file >= 0 else { throw StorageFault.io(code: errno) }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = read(file, &bytes, bytes.count)
    let fields = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
    guard fields.count > 1, let pages = Int(fields[1]) else { throw StorageFault.corrupt("statm") }
    return pages * 4
}

/// Waits until something holds, for as long as a busy machine may need; false if it never does.
func eventually(_ holds: () -> Bool) async throws -> Bool {
    let start = ContinuousClock.now
    while !holds() {
        guard start.duration(to: .now) < .seconds(60) else { return false }
        try await Task.sleep(for: .milliseconds(10))
    }
    return true
}
