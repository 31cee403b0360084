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

    /// With the vault's own signing key where the key file opens it.
    private func verification(checkpointFile: String?) throws -> AuditVerification {
        try withAudit { audit in
            try withVault { vault in
                let keyring = Keyring(database: vault)
                try? keyring.unseal(with: KeyFileUnsealer(directory: configuration.keys))
                return try AuditTrust.verify(audit, checkpointFile: checkpointFile, vault: vault, keyring: keyring)
            }
        }
    }
}
