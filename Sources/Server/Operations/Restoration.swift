internal import Audit
package import Cryptography
package import Domain
internal import Glibc
internal import Sealing
internal import Storage

/// Makes a vault from a snapshot on a machine that has nothing but the recovery code.
///
/// Nothing is believed: the files are compared with the manifest, the databases checked, every sealed value opened, every row's code and
/// the whole audit chain verified, before the vault gets its name. Until then everything lies in `<data>.restoring`.
package struct Restoration: Sendable {
    /// What was restored.
    package struct Report: Sendable {
        package let manifest: SnapshotManifest
        package let findings: VaultInspection.Findings
        package let auditEntries: Int64
    }

    private let snapshot: String
    private let layout: Installation.Layout
    private let hosts: [String]
    private let clock: WallClock

    /// - Parameter hosts: names and addresses that the new development certificate is for.
    package init(snapshot: String, layout: Installation.Layout, hosts: [String], clock: WallClock = .system) {
        self.snapshot = snapshot
        self.layout = layout
        self.hosts = hosts
        self.clock = clock
    }

    private var staging: Installation.Layout { Installation.Layout(data: layout.data + ".restoring", keys: layout.keys) }

    /// Restores the vault, with a fresh key file in the layout's key directory in place of former ones.
    package func run(recoveryCode: SecretHandoff) async throws -> Report {
        guard let code = recoveryCode.take(), let recovery = RecoveryCodeUnsealer(typed: code) else {
            throw SnapshotFault("that is not a recovery code: it has 32 letters and digits")
        }
        try checkPlace()
        let manifest = try SnapshotManifest(of: snapshot)
        try await Blocking.run { [snapshot] in try manifest.verify(in: snapshot) }
        guard mkdir(staging.data, 0o700) == 0 else { throw PrivateFile.fault(staging.data) }
        do {
            try await Blocking.run { try copy(manifest) }
            let report = try await restore(manifest, recovery)
            try publish()
            return report
        } catch {
            Self.remove(staging.data)
            throw error
        }
    }

    private func restore(_ manifest: SnapshotManifest, _ recovery: RecoveryCodeUnsealer) async throws -> Report {
        let vault = try await Blocking.run { [staging, clock] in
            try StoppedVault(data: staging.data, checkpoints: staging.checkpoints, migrates: true, clock: clock)
        }
        do {
            let (findings, entries) = try await Blocking.run { try verify(vault, recovery) }
            let keyFile = KeyFileUnsealer(directory: layout.keys)
            _ = try keyFile.create()
            do {
                try await adopt(vault, keyFile, recovery)
                try Installation(layout: staging).certificates(hosts)
            } catch {
                unlink(layout.keys + "/" + KeyFileUnsealer.fileName)
                throw error
            }
            await vault.close()
            return Report(manifest: manifest, findings: findings, auditEntries: entries)
        } catch {
            await vault.close()
            throw error
        }
    }

    /// Opens the vault and goes through all of it. Blocks.
    private func verify(_ vault: StoppedVault, _ recovery: RecoveryCodeUnsealer) throws -> (VaultInspection.Findings, Int64) {
        for database in [vault.database, vault.auditDatabase] {
            let faults = try database.integrityCheckSync()
            guard faults.isEmpty else { throw SnapshotFault("\(database.path): " + faults.joined(separator: "; ")) }
        }
        try vault.unseal(with: recovery, checking: nil)
        // A snapshot from before there was a ledger of rows has none; of any other, every row must be the one that was there.
        if vault.formerSchema ?? 0 >= Migration.rowLedger { try vault.keyring.checkRows(.all) }
        let findings = try VaultInspection(database: vault.database, keyring: vault.keyring).run()
        let hasCheckpoints = access(staging.checkpoints, F_OK) == 0
        let chain = try AuditTrust.verify(
            vault.auditDatabase, checkpointFile: hasCheckpoints ? staging.checkpoints : nil, vault: vault.database,
            keyring: vault.keyring)
        if let fault = chain.fault { throw SnapshotFault("the audit chain breaks at entry \(fault.seq): \(fault.detail)") }
        return (findings, chain.entries)
    }

    /// Gives the vault its new key file, and ends the logins that it was copied with.
    private func adopt(_ vault: StoppedVault, _ keyFile: KeyFileUnsealer, _ recovery: RecoveryCodeUnsealer) async throws {
        let now = clock.now()
        let object = AuditObject(kind: "snapshot", id: "", name: snapshot)
        // The audit was copied after the vault, so its checkpoints may know of later rows.
        try await Blocking.run { try vault.acceptRows() }
        try await vault.change("vault.restore", objects: [object]) { request in
            try await vault.database.write { db in
                let former = try KeySlots.all(on: db).filter { $0.kind == KeyFileUnsealer.kind }
                try Keyring.addSlot(NewSlot(keyFile, label: "key file", parameters: []), openedBy: recovery, now: now, in: db)
                for slot in former { _ = try KeySlots.delete(slot.id, on: db) }
                var offset: Int64 = 0
                while true {
                    let users = try Users.list(ListRequest(offset: offset, limit: 200), on: db).rows
                    for user in users { try Sessions.deleteAll(of: user.value.id, on: db) }
                    if users.isEmpty { break }
                    offset += Int64(users.count)
                }
                try ChangeMarks.insert(request, at: now, on: db)
            }
        }
    }

    // MARK: - Files

    private func checkPlace() throws {
        if access(layout.data, F_OK) == 0, !Self.isEmpty(layout.data) {
            throw SnapshotFault("\(layout.data) is not empty: a vault is restored into a new directory")
        }
        if access(staging.data, F_OK) == 0 {
            throw SnapshotFault("\(staging.data) is left from a restoration that was cut off: remove it")
        }
        if access(layout.keys + "/" + KeyFileUnsealer.fileName, F_OK) == 0 {
            throw SnapshotFault("\(layout.keys) has a key file: move it away, or name another key directory with --keys")
        }
    }

    private func copy(_ manifest: SnapshotManifest) throws {
        let names = [
            Snapshot.database: staging.data + "/keyturn.db", Snapshot.auditDatabase: staging.data + "/audit.db",
            Snapshot.checkpoints: staging.checkpoints,
        ]
        for file in manifest.files {
            guard let target = names[file.name] else { continue }
            try PrivateFile.copy(snapshot + "/" + file.name, to: target)
        }
    }

    private func publish() throws {
        try PrivateFile.syncDirectory(staging.data)
        // An empty directory of that name is replaced.
        guard rename(staging.data, layout.data) == 0 else { throw PrivateFile.fault(layout.data) }
        let parent = layout.data.lastIndex(of: "/").map { $0 == layout.data.startIndex ? "/" : String(layout.data[..<$0]) } ?? "."
        try PrivateFile.syncDirectory(parent)
    }

    private static func names(in path: String) -> [String]? {
        guard let directory = opendir(path) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private static func isEmpty(_ path: String) -> Bool { names(in: path)?.isEmpty ?? false }

    /// Removes the directory that this restoration made, which has files and one level of directories.
    private static func remove(_ path: String) {
        for name in names(in: path) ?? [] {
            let file = path + "/" + name
            if unlink(file) != 0 {
                for inner in names(in: file) ?? [] { unlink(file + "/" + inner) }
                rmdir(file)
            }
        }
        rmdir(path)
    }
}
