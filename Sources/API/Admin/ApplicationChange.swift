internal import Access
internal import Cryptography
internal import Domain
internal import JSON
internal import Logging
internal import Storage

/// Changes of applications and their credentials under one warrant, each in its caller's transaction.
struct ApplicationChange: Sendable {
    let backend: Backend
    let warrant: Warrant
    let now: Timestamp

    init(_ backend: Backend, _ warrant: Warrant) {
        self.backend = backend
        self.warrant = warrant
        now = backend.clock.now()
    }

    var organization: OrganizationID { warrant.organization }
    var author: String { warrant.principal.actor.name }

    /// Leaves the mark by which a start after a crash knows that the change was made.
    func mark(_ db: any SQLConnection) throws {
        try ChangeMarks.insert(warrant.origin.request, at: now, on: db)
    }

    func create(_ body: JSONValue, in db: any SQLConnection) throws -> Application {
        let application = try body.fields { body in
            let name = body.required("name", .text(max: 128))
            let accounts = body.required("accounts", AccountFilter.rule)
            let networks = body.optional("ip_group", .addressPolicy, default: ["*"])
            let isActive = body.optional("is_active", .bool, default: true)
            let rate = body.nullable("rate_limit", Self.rate)
            let comment = body.optional("comment", .text(max: 4096, blank: true), default: "")
            body.ignoreReadOnly(of: ApplicationsResource.schema)
            let read = try body.finish(name, accounts, networks, isActive, comment)
            return Application(
                id: .random(), organization: organization, name: read.0, accounts: read.1.text, ipGroup: read.2, isActive: read.3,
                rateLimit: rate.map { Int64($0) }, comment: read.4, createdBy: author, updatedBy: author, dateCreated: now,
                dateUpdated: now)
        }
        try Self.naming { try Applications.insert(backend.keyring.keys().authenticated(application), on: db) }
        return application
    }

    /// - Parameter keeps: whether absent fields stay as they are (PATCH).
    func update(_ id: ApplicationID, with body: JSONValue, keeps: Bool, in db: any SQLConnection) throws -> Application {
        var application = try verified(id, db)
        let kept = keeps ? application : nil
        try body.fields { body in
            let name = body.required("name", .text(max: 128), current: kept?.name)
            let filter = try kept.map { try AccountFilter(text: $0.accounts) }
            let accounts = body.required("accounts", AccountFilter.rule, current: filter)
            let networks = body.optional("ip_group", .addressPolicy, default: kept?.ipGroup ?? ["*"])
            let isActive = body.optional("is_active", .bool, default: kept?.isActive ?? true)
            let rate = body.nullable("rate_limit", Self.rate, current: kept?.rateLimit.flatMap { Int(exactly: $0) })
            let comment = body.optional("comment", .text(max: 4096, blank: true), default: kept?.comment ?? "")
            body.ignoreReadOnly(of: ApplicationsResource.schema)
            let read = try body.finish(name, accounts, networks, isActive, comment)
            (application.name, application.accounts, application.ipGroup) = (read.0, read.1.text, read.2)
            (application.isActive, application.comment, application.rateLimit) = (read.3, read.4, rate.map { Int64($0) })
        }
        application.updatedBy = author
        application.dateUpdated = now
        let row = try backend.keyring.keys().authenticated(application)
        guard try Self.naming({ try Applications.update(row, on: db) }) else { throw Refusal.notFound }
        return application
    }

    /// The stored application, once its row has been found to be its own.
    func verified(_ id: ApplicationID, _ db: any SQLConnection) throws -> Application {
        guard let row = try Applications.get(id, in: organization, on: db) else { throw Refusal.notFound }
        return try backend.keyring.keys().verified(row)
    }

    /// Fetches a minute.
    private static var rate: JSONRule<Int> { .int(1...10_000_000) }

    private static func naming<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch StorageFault.constraint(.unique, _) {
            throw Refusal.invalid("name", "An application of this name exists.")
        }
    }
}

// MARK: - Policies

extension Backend {
    /// Lets a committed change of an application act at once. If the new policies cannot be read, nothing is served by the old ones.
    func refreshPolicies(of application: ApplicationID, in organization: OrganizationID) async throws {
        do {
            try await policies.reload(application, in: organization)
        } catch {
            logger.error(
                "policies could not be renewed", metadata: ["application": "\(application)", "fault": "\(type(of: error))"])
            do {
                try await policies.reload()
            } catch {
                policies.clear()
                throw error
            }
        }
    }
}
