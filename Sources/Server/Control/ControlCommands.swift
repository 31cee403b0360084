package import Cryptography
package import Domain

/// The running server, as the control socket sees it. Every command comes with who gave it and the id under which it is recorded.
///
/// What these throw is shown to the operator and written to the audit as text, so it must carry no secret.
package protocol ControlCommands: Sendable {
    func status() async throws -> ControlAnswer
    /// Opens the vault; records that by itself.
    func unseal(_ key: ControlKey, by actor: Actor) async throws
    /// Forgets the keys; records that by itself.
    func seal(by actor: Actor) async throws
    func snapshot(to directory: String) async throws -> ControlAnswer
    func reload() async throws
    func checkpoint() async throws -> ControlAnswer
    /// Sets a user's password and ends the user's sessions; stores `request` as a change mark in the same transaction.
    func resetPassword(of username: String, to password: SecretHandoff, request: RequestID) async throws
    /// Replaces the key-encryption key; marks `request` as a change in its last transaction.
    func rekey(_ key: ControlKey, request: RequestID) async throws -> ControlAnswer
}
