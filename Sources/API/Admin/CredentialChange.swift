internal import Cryptography
internal import Access
internal import Cryptography
internal import Domain
internal import JSON
internal import Storage

extension ApplicationChange {
    /// Keys that one application may have, expired ones too.
    static let credentialLimit = 50
    /// How long a replaced key may go on, in seconds: 30 days.
    static let longestOverlap = 2_592_000

    /// The key that every application begins with: its id is the application's.
    func addFirstCredential(to application: Application, _ secret: SecretHandoff, in db: any SQLConnection) throws {
        let id: CredentialID = application.id.retyped()
        let credential = Credential(
            id: id, application: application.id, organization: organization, name: "default", secret: try sealed(secret, id, db),
            createdBy: author, dateCreated: now)
        try store(new: credential, db)
    }

    func createCredential(
        of application: ApplicationID, with body: JSONValue, _ secret: SecretHandoff, in db: any SQLConnection
    ) throws -> Credential {
        _ = try verified(application, db)
        let id = CredentialID.random()
        let input = try CredentialInput(body, current: nil, keeps: false)
        if let expires = input.dateExpires, expires <= now { throw Refusal.invalid("date_expires", "This date has passed.") }
        try checkRoom(application, db)
        let credential = Credential(
            id: id, application: application, organization: organization, name: input.name, secret: try sealed(secret, id, db),
            ipGroup: input.ipGroup, isStrict: input.isStrict, isActive: input.isActive, dateExpires: input.dateExpires,
            createdBy: author,
            dateCreated: now)
        try store(new: credential, db)
        return credential
    }

    func updateCredential(
        _ id: CredentialID, of application: ApplicationID, with body: JSONValue, keeps: Bool, in db: any SQLConnection
    ) throws -> Credential {
        var credential = try verified(id, of: application, db)
        let input = try CredentialInput(body, current: credential, keeps: keeps)
        (credential.name, credential.ipGroup) = (input.name, input.ipGroup)
        (credential.isStrict, credential.isActive, credential.dateExpires) = (input.isStrict, input.isActive, input.dateExpires)
        try store(credential, db)
        return credential
    }

    /// A new key with the old one's settings, but without its expiry, which after a first rotation is only the end of an overlap; the old one goes
    /// on for the overlap and no longer than it would have.
    ///
    /// - Parameter overlap: in seconds.
    func rotateCredential(
        _ id: CredentialID, of application: ApplicationID, overlap: Int, _ secret: SecretHandoff, in db: any SQLConnection
    ) throws -> (new: Credential, old: Credential) {
        var old = try verified(id, of: application, db)
        if let expires = old.dateExpires, expires <= now { throw Refusal.conflict("This key has expired: create a new one.") }
        guard old.isActive else { throw Refusal.conflict("This key is switched off: create a new one.") }
        try checkRoom(application, db)
        let successor = CredentialID.random()
        let new = Credential(
            id: successor, application: application, organization: organization, name: old.name,
            secret: try sealed(secret, successor, db),
            ipGroup: old.ipGroup, isStrict: old.isStrict, isActive: true, dateExpires: nil, createdBy: author, dateCreated: now)
        let end = now.adding(seconds: Int64(overlap))
        old.dateExpires = min(old.dateExpires ?? end, end)
        try store(new: new, db)
        try store(old, db)
        return (new, old)
    }

    func deleteCredential(_ id: CredentialID, of application: ApplicationID, in db: any SQLConnection) throws {
        guard try stored(id, of: application, db) != nil, try Credentials.delete(id, in: organization, on: db) else {
            throw Refusal.notFound
        }
    }

    // MARK: - Rows

    /// The stored key of this application; of another application's it is as if it were not there.
    func stored(_ id: CredentialID, of application: ApplicationID, _ db: any SQLConnection) throws -> Authenticated<Credential>? {
        guard let row = try Credentials.get(id, in: organization, on: db), row.value.application == application else {
            return nil
        }
        return row
    }

    private func verified(_ id: CredentialID, of application: ApplicationID, _ db: any SQLConnection) throws -> Credential {
        guard let row = try stored(id, of: application, db) else { throw Refusal.notFound }
        return try backend.keyring.keys().verified(row)
    }

    private func sealed(_ secret: SecretHandoff, _ id: CredentialID, _ db: any SQLConnection) throws -> Sealed {
        guard let secret = secret.take() else { throw Refusal.unavailable("The secret was taken already.") }
        return try backend.keyring.sealed(secret, of: id, in: organization, now: now, on: db)
    }

    private func checkRoom(_ application: ApplicationID, _ db: any SQLConnection) throws {
        guard try Credentials.all(of: application, in: organization, on: db).count < Self.credentialLimit else {
            throw Refusal.conflict("An application has at most \(Self.credentialLimit) keys: delete those that expired.")
        }
    }

    private func store(new credential: Credential, _ db: any SQLConnection) throws {
        try Credentials.insert(backend.keyring.keys().authenticated(credential), on: db)
    }

    private func store(_ credential: Credential, _ db: any SQLConnection) throws {
        let row = try backend.keyring.keys().authenticated(credential)
        guard try Credentials.update(row, on: db) else { throw Refusal.notFound }
    }
}

/// What a body says about a credential.
struct CredentialInput {
    let name: String
    let ipGroup: [String]
    let isStrict: Bool
    let isActive: Bool
    let dateExpires: Timestamp?

    /// - Parameter keeps: whether absent fields stay as they are (PATCH).
    init(_ body: JSONValue, current: Credential?, keeps: Bool) throws {
        let kept = keeps ? current : nil
        (name, ipGroup, isStrict, isActive, dateExpires) = try body.fields { body in
            let name = body.required("name", .text(max: 128), current: kept?.name)
            let networks = body.optional("ip_group", .addressPolicy, default: kept?.ipGroup ?? ["*"])
            let isStrict = body.optional("is_strict", .bool, default: kept?.isStrict ?? false)
            let isActive = body.optional("is_active", .bool, default: kept?.isActive ?? true)
            let expires = body.nullable("date_expires", .date, current: kept?.dateExpires)
            body.ignoreReadOnly(of: CredentialsResource.schema)
            let read = try body.finish(name, networks, isStrict, isActive)
            return (read.0, read.1, read.2, read.3, expires)
        }
    }
}
