internal import Access
package import Cryptography
package import Domain
package import Sealing
package import Storage

/// Sets an administrator's password from the machine itself, for whoever forgot it. Ends the user's sessions.
package enum PasswordReset {
    /// The shortest password that is taken.
    package static let leastBytes = 12

    /// Hashes first, so that the writer is not held up, then changes the password and marks the change, in one transaction. Throws `Refusal`.
    package static func run(
        of username: String, to password: SecretHandoff, request: RequestID, database: Database, keyring: Keyring,
        now: Timestamp = .now
    ) async throws {
        let hashed = try await Blocking.run {
            guard let password = password.take() else { throw Refusal.malformed("no password") }
            guard password.count >= leastBytes else {
                throw Refusal.invalid("password", "Ensure this field has at least \(leastBytes) characters.")
            }
            return SecretHandoff(try UserAccounts.verifier(for: password))
        }
        try await database.write { db in
            guard let verifier = hashed.take() else { throw Refusal.malformed("no password") }
            do {
                _ = try UserAccounts.reset(username: username, verifier: verifier, keyring: keyring, now: now, in: db)
            } catch Refusal.notFound {
                throw Refusal.invalid("username", "There is no such user.")
            }
            try ChangeMarks.insert(request, at: now, on: db)
        }
    }
}
