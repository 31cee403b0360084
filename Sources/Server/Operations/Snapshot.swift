package import Domain
internal import Glibc
package import Storage

/// A copy of a vault in a directory of its own: both databases, the audit's checkpoints, and a manifest. It holds no key.
package enum Snapshot {
    static let database = "keyturn.db"
    static let auditDatabase = "audit.db"
    static let checkpoints = "audit-checkpoints.jsonl"
    static let fileNames: Set = [database, auditDatabase, checkpoints]

    /// Copies a vault, running or stopped, into a directory that is not there yet (0700). Blocks.
    ///
    /// The vault's database comes first: whatever it holds, the audit that is copied later tells of. The checkpoints come before the audit,
    /// so that none of them is ahead of the chain. The manifest comes last: without it a directory is no snapshot.
    package static func write(
        database vault: Database, audit: Database, checkpoints path: String, to directory: String, now: Timestamp = .now
    ) throws -> SnapshotManifest {
        let partial = directory + ".partial"
        guard access(directory, F_OK) != 0 else { throw SnapshotFault("\(directory) is there already: name a new directory") }
        guard mkdir(partial, 0o700) == 0 else { throw PrivateFile.fault(partial) }
        do {
            try vault.backupSync(to: partial + "/" + database)
            let hasCheckpoints = access(path, F_OK) == 0
            if hasCheckpoints { try PrivateFile.copy(path, to: partial + "/" + checkpoints) }
            try audit.backupSync(to: partial + "/" + auditDatabase)
            let names = [database, auditDatabase] + (hasCheckpoints ? [checkpoints] : [])
            let manifest = SnapshotManifest(
                version: ProductVersion.current, date: now,
                files: try names.map { try SnapshotManifest.describe($0, in: partial) })
            try PrivateFile.write(manifest.text, to: partial + "/" + SnapshotManifest.fileName)
            try PrivateFile.syncDirectory(partial)
            guard rename(partial, directory) == 0 else { throw PrivateFile.fault(directory) }
            return manifest
        } catch {
            for name in fileNames.union([SnapshotManifest.fileName]) { unlink(partial + "/" + name) }
            rmdir(partial)
            throw error
        }
    }
}
