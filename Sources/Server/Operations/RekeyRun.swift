internal import Domain
package import JSON
package import Sealing
internal import Storage

/// Replaces the key-encryption key of a stopped vault.
package enum RekeyRun {
    /// The vault is unsealed; the unsealer opens it once more. An interrupted run goes on where it was.
    package static func run(_ vault: StoppedVault, openedBy unsealer: any Unsealer) async throws -> Rekey.Report {
        try await vault.change("control.rekey") { request in
            // Nobody else is at work in a stopped vault.
            let rekey = Rekey(vault.keyring, openedBy: unsealer, grace: .zero)
            return try await Blocking.run { try rekey.run(marking: request) }
        }
    }
}

extension Rekey.Report {
    /// Which open changes were left as they are, and what is to be done.
    private var damagedWords: String {
        damaged.joined(separator: ", ")
            + "; each is given up by editing its account with force=true, which keeps every value that may be live"
    }

    /// The fields of the result.
    package func write(to writer: inout JSONWriter<[UInt8]>) {
        writer.field("key", key)
        writer.field("data_keys", dataKeys)
        writer.field("rows", rows)
        writer.field("resumed", isResumed)
        if !damaged.isEmpty { writer.field("damaged_changes", damagedWords) }
    }
}
