internal import Domain
internal import Sealing
internal import Storage

extension Logins {
    /// Whether an `Authorization` header shows a login that is in force, told at once and from memory: for deciding how much of a
    /// request to read before it is authenticated. False while the vault is sealed.
    package func isLive(_ authorization: UnsafeRawBufferPointer) -> Bool {
        guard let token = Self.token(authorization), let keys = try? keyring.keys(), let digest = try? digest(token, keys) else {
            return false
        }
        return live.contains(digest, now: clock.now())
    }

    /// Whether nobody can be logged in, since the vault is sealed.
    package var isSealed: Bool { keyring.isSealed }

    /// Takes up the stored logins: after unsealing, and after some were ended behind the back of this object.
    package func reloadLive() async throws {
        let keys = try keyring.keys()
        let sessions = try await database.read { db in
            let workspace = try SealingWorkspace()
            var isActive: [UserID: Bool] = [:]
            return try Sessions.everywhere(limit: 100_000, on: db).compactMap { stored -> Session? in
                // What somebody changed in the database is nobody's login; that it was changed is found when it is used.
                guard let session = try? keys.verified(stored, with: workspace) else { return nil }
                if isActive[session.user] == nil {
                    let user = try Users.get(session.user, on: db)
                    isActive[session.user] = user.flatMap { try? keys.verified($0, with: workspace).isActive } ?? false
                }
                return isActive[session.user] == true ? session : nil
            }
        }
        live.removeAll()
        live.insert(sessions, now: clock.now())
    }

    /// Forgets them, with the keys.
    package func forgetLive() { live.removeAll() }
}
