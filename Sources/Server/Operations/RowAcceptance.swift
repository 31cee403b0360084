internal import Audit
internal import Domain
internal import Sealing
internal import Storage

/// The operator's word that the rows of a stopped vault are right as they are, after damage, or after an older copy was put in place.
package enum RowAcceptance {
    /// Takes the rows over and says what the ledger held against them; nil if nothing. The vault is unsealed without a check.
    package static func run(_ vault: StoppedVault) async throws -> String? {
        let objection: String? = try await Blocking.run { try Self.objection(vault) }
        let objects = [AuditObject(kind: "rows", id: "", name: objection ?? "no objection")]
        try await vault.change("vault.accept-rows", objects: objects) { _ in
            try await Blocking.run { try vault.acceptRows() }
        }
        return objection
    }

    private static func objection(_ vault: StoppedVault) throws -> String? {
        do {
            try vault.keyring.checkRows(.all)
            try vault.requireNewestRows()
            return nil
        } catch SealingFault.rowLedger(let what) {
            return what
        }
    }
}
