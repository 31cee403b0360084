internal import Domain
internal import JSON
internal import Storage

/// An application as answers show it, without any secret of its own.
struct ApplicationView: Sendable {
    let application: Application
    /// How many accounts its filter shows now; nil where that is too much work to tell.
    let accounts: Int?
    let dateLastUsed: Timestamp?
    let organizationName: String

    var object: AuditObject { AuditObject(application) }

    /// How long counting accounts may take for one answer; what is left then is not counted.
    private static let budget = Duration.milliseconds(300)

    static func views(
        of applications: [Application], in organization: OrganizationID, _ transaction: Transaction
    ) throws -> [ApplicationView] {
        let name = try transaction.organizationName(organization)
        let used = try CredentialUsage.latest(of: applications.map(\.id), in: organization, on: transaction.db)
        let nodes = try NodeTree.stored(in: organization, transaction)
        let start = ContinuousClock.now
        // Many applications have the same filter, `{"type":"all"}` above all.
        var counted: [String: Int?] = [:]
        return try applications.map { application in
            let known = counted[application.accounts]
            if known == nil, ContinuousClock.now - start < budget {
                counted[application.accounts] = .some(try count(application, nodes, transaction))
            }
            return ApplicationView(
                application: application, accounts: (counted[application.accounts] ?? nil), dateLastUsed: used[application.id],
                organizationName: name)
        }
    }

    private static func count(_ application: Application, _ nodes: NodeTree, _ transaction: Transaction) throws -> Int? {
        guard let filter = try? AccountFilter(text: application.accounts) else { return nil }
        return try AccountScope(filter, nodes: nodes).count(in: application.organization, transaction)
    }
}

extension AuditObject {
    init(_ application: Application) {
        self.init(kind: "application", id: application.id.description, name: application.name)
    }
}

// MARK: - Writing

extension ApplicationView {
    func write(to writer: inout JSONWriter<some JSONSink>) {
        writer.object { writeFields(to: &$0) }
    }

    func writeFields(to writer: inout JSONWriter<some JSONSink>) {
        writer.field("id", application.id)
        writer.field("name", application.name)
        writer.key("accounts")
        // Read again, so that an answer is JSON whatever stands in the database.
        if let filter = try? AccountFilter(text: application.accounts) { filter.write(to: &writer) } else { writer.null() }
        writer.field("accounts_amount", accounts)
        writer.field("ip_group", application.ipGroup)
        writer.field("is_active", application.isActive)
        writer.field("rate_limit", application.rateLimit)
        writer.field("date_last_used", dateLastUsed)
        writer.field("date_created", application.dateCreated)
        writer.field("date_updated", application.dateUpdated)
        writer.field("comment", application.comment)
        writer.field("created_by", application.createdBy)
        writer.field("updated_by", application.updatedBy)
        writer.field("org_id", application.organization)
        writer.field("org_name", organizationName)
    }
}
