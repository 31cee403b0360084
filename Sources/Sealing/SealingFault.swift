/// What can go wrong with keys and sealed values. None of these carries plaintext.
package enum SealingFault: Swift.Error, Sendable, Equatable {
    /// The vault is sealed: there are no keys in memory.
    case sealed
    /// A stored value is not the one that was sealed there: changed, moved, or under another key.
    case notAuthentic(String)
    /// A stored row does not carry the authentication code of its contents.
    case rowNotAuthentic(kind: String, id: String)
    /// The rows are not the newest that this vault wrote: older ones were put back, or some were taken away.
    case rowLedger(String)
    /// A key that stored data name is not in the keyring.
    case unknownKey(String)
    /// No slot opens with what was given.
    case wrongUnsealKey(String)
    /// The key directory or file is missing or too open; what to do about it.
    case keyFile(String, remedy: String)
    /// The database holds no keyring yet, or holds one already.
    case notInitialized
    case alreadyInitialized
    /// A key came to the end of its uses and could not be replaced.
    case exhausted
}
