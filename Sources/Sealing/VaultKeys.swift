internal import Cryptography

/// Keys that the whole vault has once, from the system organization's first data key: they stay when key-encryption keys are replaced.
struct VaultKeys: Sendable {
    /// Under which bearer tokens are digested before they are stored or looked up.
    let token: SymmetricKey
    /// Under which a row gets its mark in the ledger.
    let rowMark: SymmetricKey
    /// Under which the ledger is sealed: whoever saw its sums could look for rows that add up to the same.
    let rowLedger: SymmetricKey

    init(from system: SymmetricKey) throws {
        token = try HKDF.derive(from: system, info: "keyturn/bearer-token/v1")
        rowMark = try HKDF.derive(from: system, info: "keyturn/row-mark/v1")
        rowLedger = try HKDF.derive(from: system, info: "keyturn/row-ledger/v1")
    }
}
