internal import Audit
internal import Glibc
internal import Sealing
internal import Storage

extension Doctor {
    /// Runs something on the vault's database, opened without changing it.
    func withVault<Value>(_ body: (Database) throws -> Value) throws -> Value { try with(data + "/keyturn.db", body) }

    func withAudit<Value>(_ body: (Database) throws -> Value) throws -> Value { try with(data + "/audit.db", body) }

    private func with<Value>(_ path: String, _ body: (Database) throws -> Value) throws -> Value {
        guard access(path, F_OK) == 0 else { throw StorageFault.missing(path) }
        var options = DatabaseOptions()
        options.isReadOnly = true
        options.readers = 1
        let database = try Database.open(at: path, options: options)
        defer { database.close() }
        return try body(database)
    }

    /// Schemas, the databases' own checks, and the audit chain.
    func databases() -> [Finding] {
        schema("database", Migration.main, withVault) + schema("audit database", Migration.audit, withAudit)
            + (isQuick ? [] : integrity("database", withVault) + integrity("audit database", withAudit) + chain())
            + rows() + tasks()
    }

    private typealias Opening<Value> = ((Database) throws -> Value) throws -> Value

    private func schema(_ subject: String, _ steps: [Migration], _ open: Opening<Void>) -> [Finding] {
        do {
            try open { try $0.requireSchema(steps) }
            return [.fine(subject, "schema \(steps.last?.number ?? 0)")]
        } catch StorageFault.olderSchema(let found, let known) {
            return [.wrong(subject, "schema \(found), this program needs \(known)", remedy: "keyturnd migrate --data \(data)")]
        } catch StorageFault.newerSchema(let found, let known) {
            return [.wrong(subject, "schema \(found), this program knows \(known)", remedy: "use the newer program")]
        } catch {
            return [.wrong(subject, "\(error)", remedy: "restore a snapshot: keyturnd restore")]
        }
    }

    private func integrity(_ subject: String, _ open: Opening<[String]>) -> [Finding] {
        do {
            let faults = try open { try $0.integrityCheckSync() }
            guard let first = faults.first else { return [.fine(subject, "whole")] }
            return [
                .wrong(subject, "damaged (\(faults.count) faults): \(first)", remedy: "restore a snapshot: keyturnd restore")
            ]
        } catch {
            return [.wrong(subject, "cannot be checked: \(error)", remedy: "restore a snapshot: keyturnd restore")]
        }
    }

    private func chain() -> [Finding] {
        let (subject, file) = ("audit chain", configuration.checkpoints)
        do {
            let found = try verification(checkpointFile: access(file, F_OK) == 0 ? file : nil)
            if let fault = found.fault {
                return [
                    .wrong(
                        subject, "breaks at entry \(fault.seq) (\(fault.kind.rawValue)): \(fault.detail)",
                        remedy: "keep a copy of the data directory as evidence; compare with checkpoints kept elsewhere")
                ]
            }
            return [.fine(subject, "\(found.entries) entries, \(found.unsignedTail) of them not signed yet")]
        } catch {
            return [.wrong(subject, "cannot be verified: \(error)", remedy: "see 'keyturnd audit verify'")]
        }
    }

    /// Whether the rows are the newest that the vault wrote. Only who has the key file can tell; that it is missing is told elsewhere.
    private func rows() -> [Finding] {
        let (subject, file) = ("rows", configuration.checkpoints)
        let remedy = "find out who could write the data directory; restore a snapshot, or: keyturnd accept-rows"
        do {
            return try withVault { vault in
                let keyring = Keyring(database: vault)
                try keyring.unseal(with: KeyFileUnsealer(directory: configuration.keys), checking: nil)
                let key = try vault.readSync { db in try AuditKey.load(keyring: keyring, in: db) }
                // The checkpoints first: a running server goes on meanwhile.
                let known = try withAudit { try RowGeneration.known(to: $0, checkpointFile: file, key: key) }
                try keyring.checkRows(isQuick ? .small : .all)
                try RowGeneration.require(keyring, atLeast: known)
                let isCutOff = try vault.readSync { db in try KeyringKeys.all(on: db).count } > 1
                return [.fine(subject, "the newest, generation \(keyring.ledger.generation ?? 0)")]
                    + (isCutOff ? [.warning("key-encryption key", "replacing it was cut off", remedy: "keyturnd rekey")] : [])
            }
        } catch SealingFault.rowLedger(let what) {
            return [.wrong(subject, what, remedy: remedy)]
        } catch SealingFault.keyFile, SealingFault.wrongUnsealKey {
            return [.warning(subject, "cannot be checked without the key file", remedy: "put the vault's key file in place")]
        } catch {
            return [.wrong(subject, "cannot be checked: \(error)", remedy: "restore a snapshot: keyturnd restore")]
        }
    }

    /// Whether tasks and executions that are not over can be read: what cannot is left out by the server, whatever it was to do.
    private func tasks() -> [Finding] {
        let subject = "tasks"
        do {
            let damaged = try withVault { vault in
                try vault.readSync { db in
                    var damaged = try AutomationTasks.damaged(on: db).map { "task \($0.name)" }
                    for case .failure(let row) in try Executions.open(limit: 100_000, on: db) {
                        damaged.append("execution \(row.name)")
                    }
                    return damaged
                }
            }
            guard let first = damaged.first else { return [.fine(subject, "can be read")] }
            return [
                .wrong(
                    subject, "\(damaged.count) rows cannot be read, and are left out: \(first)",
                    remedy: "find out who could write the data directory; restore a snapshot: keyturnd restore")
            ]
        } catch {
            // An older schema, or a file that is none: told of above.
            return []
        }
    }

    /// With the vault's own signing key, where the key file is at hand; that it is not is a finding of its own.
    private func verification(checkpointFile: String?) throws -> AuditVerification {
        try withAudit { audit in
            try withVault { vault in
                let keyring = Keyring(database: vault)
                do {
                    try keyring.unseal(with: KeyFileUnsealer(directory: configuration.keys), checking: nil)
                } catch SealingFault.keyFile, SealingFault.wrongUnsealKey {
                    // The chain can still be checked for itself.
                }
                return try AuditTrust.verify(audit, checkpointFile: checkpointFile, vault: vault, keyring: keyring)
            }
        }
    }
}
