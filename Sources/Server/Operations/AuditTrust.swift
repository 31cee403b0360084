package import Audit
internal import Cryptography
package import Sealing
package import Storage

/// Checks the audit chain of a vault as strictly as what is known allows.
package enum AuditTrust {
    /// Whole-chain verification against a checkpoint file, if there is one. With an open keyring only the vault's own signing key is believed;
    /// without, the keys that the database names, which prove no more than that all fits together. Blocks.
    package static func verify(
        _ audit: Database, checkpointFile: String?, vault: Database? = nil, keyring: Keyring? = nil
    ) throws -> AuditVerification {
        var verifier = AuditVerifier()
        verifier.checkpointFile = checkpointFile
        if let vault, let keyring, !keyring.isSealed {
            let key = try vault.readSync { db in try AuditKey.load(keyring: keyring, in: db) }
            verifier.trustedKeys = [try SigningKeyID(key.publicKey)]
        }
        return try verifier.verify(audit.makeConfinedConnection(writable: false))
    }
}
