package import Cryptography
package import Domain
package import Sealing
package import Storage

/// Making users and setting passwords, for `init` and the operator. `create` and `verifier` block while scrypt runs.
package enum UserAccounts {
    /// A new user with this password, stored in the caller's transaction.
    package static func create(
        username: String, name: String, role: Role, password: borrowing Secret, keyring: Keyring, now: Timestamp,
        in db: any SQLConnection
    ) throws -> User {
        guard let canonical = Username.canonical(username) else {
            throw Refusal.invalid("username", "Letters, digits and . _ - @ only, at most 128.")
        }
        let id = UserID.random()
        let sealed = try seal(verifier(for: password), for: id, keyring, now, db)
        let user = User(
            id: id, username: canonical, name: name, role: role, password: sealed, dateCreated: now, datePasswordUpdated: now)
        try Users.insert(keyring.keys().authenticated(user, with: SealingWorkspace()), on: db)
        return user
    }

    /// What is kept of a password, as a secret of its own. Runs scrypt, so it blocks for a while: never inside a transaction.
    package static func verifier(for password: borrowing Secret) throws -> Secret {
        var bytes = try PasswordVerifier(for: password).bytes
        return Secret(moving: &bytes)
    }

    /// Sets the password that a user's `verifier` was made from, switches the user on and ends the user's sessions, in the caller's transaction.
    package static func reset(
        username: String, verifier: borrowing Secret, keyring: Keyring, now: Timestamp, in db: any SQLConnection
    ) throws -> User {
        guard let canonical = Username.canonical(username), let stored = try Users.get(username: canonical, on: db) else {
            throw Refusal.notFound
        }
        let workspace = try SealingWorkspace()
        var user = try keyring.keys().verified(stored, with: workspace)
        user.password = try seal(verifier, for: user.id, keyring, now, db)
        user.isActive = true
        user.datePasswordUpdated = now
        _ = try Users.update(keyring.keys().authenticated(user, with: workspace), on: db)
        _ = try Sessions.deleteAll(of: user.id, on: db)
        return user
    }

    private static func seal(
        _ verifier: borrowing Secret, for user: UserID, _ keyring: Keyring, _ now: Timestamp, _ db: any SQLConnection
    ) throws -> Sealed {
        return try keyring.seal(verifier, at: .userPassword(user), with: SealingWorkspace(), now: now, in: db)
    }
}
