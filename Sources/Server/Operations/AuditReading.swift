internal import Audit
internal import Domain
internal import Glibc
package import JSON
internal import Sealing
internal import Storage

/// Reads a vault's audit for the operator, whether the server runs or not. Blocks.
package struct AuditReading: Sendable {
    private let configuration: Configuration

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// Writes down who reads the audit and what for, before it is read: through the running server, else into the stopped vault.
    ///
    /// Returns why that could not be done: a snapshot is never written to, nor a directory that is read-only, locked, or of another
    /// schema, nor a chain that contradicts its checkpoints. The audit is read all the same, since it must be readable where it lies.
    package func record(_ use: AuditUse) async -> String? {
        do {
            let control = ControlClient(path: configuration.dataDirectory + "/control.sock", patience: .seconds(10))
            if control.isServerRunning {
                _ = try control.send(.readAudit(use))
                return nil
            }
            guard access(configuration.dataDirectory + "/" + SnapshotManifest.fileName, F_OK) != 0 else {
                return "\(configuration.dataDirectory) is a snapshot"
            }
            let vault = try StoppedVault(data: configuration.dataDirectory, checkpoints: configuration.checkpoints)
            do {
                // Signed where the key file is at hand; else the next start signs.
                if try hasKeyFile() { try vault.unseal(with: .keyFile, keys: configuration.keys) }
                try await vault.note(use.action)
            } catch {
                await vault.close()
                throw error
            }
            await vault.close()
            return nil
        } catch {
            return OperatorFault(error).description
        }
    }

    /// Verifies the chain against a checkpoint file; without one given, against the configured one where it is there.
    ///
    /// Where a key file is, it must open the vault: a foreign one would quietly cost the trust in the vault's own signing key.
    package func verify(checkpoint: String?) throws -> AuditFindings {
        let file = checkpoint ?? (access(configuration.checkpoints, F_OK) == 0 ? configuration.checkpoints : nil)
        if let file, access(file, R_OK) != 0 { throw PrivateFile.fault(file) }
        return try with(configuration.dataDirectory + "/audit.db") { audit in
            try with(configuration.dataDirectory + "/keyturn.db") { vault in
                let keyring = Keyring(database: vault)
                if try hasKeyFile() { try keyring.unseal(with: KeyFileUnsealer(directory: configuration.keys), checking: nil) }
                return AuditFindings(
                    found: try AuditTrust.verify(audit, checkpointFile: file, vault: vault, keyring: keyring),
                    isKeyTrusted: !keyring.isSealed)
            }
        }
    }

    /// Writes the entries after a number, in bounded memory.
    package func export(after seq: Int64, to sink: ([UInt8]) throws -> Void) throws {
        try with(configuration.dataDirectory + "/audit.db") { audit in
            _ = try AuditExport.stream(after: seq, audit.makeConfinedConnection(writable: false), to: sink)
        }
    }

    /// False only where there certainly is none; what cannot be looked at is an error.
    private func hasKeyFile() throws -> Bool {
        let path = configuration.keys + "/" + KeyFileUnsealer.fileName
        var status = stat()
        if lstat(path, &status) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw PrivateFile.fault(path) }
        return false
    }

    private func with<Value>(_ path: String, _ body: (Database) throws -> Value) throws -> Value {
        guard access(path, F_OK) == 0 else { throw StorageFault.missing(path) }
        var options = DatabaseOptions()
        options.isReadOnly = true
        options.readers = 1
        let database = try Database.open(at: path, options: options)
        defer { database.close() }
        return try body(database)
    }
}

/// What a verification of the chain came to.
package struct AuditFindings: Sendable {
    let found: AuditVerification
    /// Whether only the vault's own signing key was believed; else the keys that the database names.
    package let isKeyTrusted: Bool

    package var isWhole: Bool { found.isWhole }

    /// What was found, as members of an object.
    package func write(to writer: inout JSONWriter<[UInt8]>) {
        writer.field("whole", isWhole)
        writer.field("entries", found.entries)
        writer.field("segments", found.segments)
        writer.field("checkpoints", found.checkpoints)
        writer.field("signed", found.signedSeq)
        writer.field("unsigned_tail", found.unsignedTail)
        writer.field("open_intents", found.openIntents)
        writer.field("key_trusted", isKeyTrusted)
        writer.field("keys", found.keys.map(\.text))
        guard let fault = found.fault else { return }
        writer.field("broken_entry", fault.seq)
        writer.field("fault", fault.kind.rawValue)
        writer.field("detail", fault.detail)
    }
}
