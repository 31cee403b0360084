internal import Audit
internal import Cryptography
internal import Glibc
internal import Sealing
internal import Storage

/// Compares the vault's rows with what the audit's checkpoints know of them: an older database shows, even if it is whole in itself.
enum RowGeneration {
    /// The highest generation that a checkpoint of this vault's own key names; nil if none does. Blocks.
    static func known(to audit: Database, checkpointFile: String?, key: Ed25519.SigningKey) throws -> Int64? {
        let file = checkpointFile.flatMap { access($0, F_OK) == 0 || access($0 + ".1", F_OK) == 0 ? $0 : nil }
        return try AuditLog.knownRows(audit, checkpointFile: file, signedBy: key.publicKey)
    }

    /// Throws `rowLedger` if a checkpoint knows of a later generation than the keyring has found. Blocks.
    static func require(_ keyring: Keyring, audit: Database, checkpointFile: String?, key: Ed25519.SigningKey) throws {
        try require(keyring, atLeast: known(to: audit, checkpointFile: checkpointFile, key: key))
    }

    static func require(_ keyring: Keyring, atLeast known: Int64?) throws(SealingFault) {
        guard let known, let found = keyring.ledger.generation, found < known
        else { return }
        throw SealingFault.rowLedger(
            "the database is older than the audit's checkpoints: generation \(found), they know \(known)")
    }
}
