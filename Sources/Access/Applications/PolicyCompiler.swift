internal import Cryptography
internal import Domain
internal import Sealing
internal import Storage
internal import JSON

/// Turns stored applications and credentials into policies, checking every row that decides something.
struct PolicyCompiler {
    private let keys: KeySet
    private let workspace: SealingWorkspace
    private let onFault: @Sendable (String) -> Void

    init(keys: KeySet, onFault: @escaping @Sendable (String) -> Void) throws {
        self.keys = keys
        self.onFault = onFault
        workspace = try SealingWorkspace()
    }

    func snapshot(in db: any SQLConnection) throws -> PolicySnapshot {
        var credentials: [CredentialID: CredentialPolicy] = [:]
        var names: [String: OrganizationID] = [:]
        let keysByApplication = Dictionary(grouping: try Credentials.everywhere(on: db)) { $0.value.application }
        let applications = Dictionary(grouping: try Applications.everywhere(on: db)) { $0.value.organization }
        for stored in try Organizations.all(on: db) {
            guard let organization = verified(stored) else { continue }
            names[organization.name] = organization.id
            let nodes = try descendants(in: organization.id, db)
            for application in applications[organization.id] ?? [] {
                let own = keysByApplication[application.value.id] ?? []
                for policy in compile(application, own, isOrganizationActive: organization.isActive, nodes) {
                    credentials[policy.id] = policy
                }
            }
        }
        return PolicySnapshot(credentials: credentials, organizationNames: names)
    }

    func policies(of id: ApplicationID, in organization: OrganizationID, _ db: any SQLConnection) throws -> [CredentialPolicy] {
        guard let stored = try Organizations.get(organization, on: db), let owner = verified(stored),
            let application = try Applications.get(id, in: organization, on: db)
        else { return [] }
        let own = try Credentials.all(of: id, in: organization, on: db)
        return compile(application, own, isOrganizationActive: owner.isActive, try descendants(in: organization, db))
    }

    private func compile(
        _ stored: Authenticated<Application>, _ credentials: [Authenticated<Credential>], isOrganizationActive: Bool,
        _ nodes: NodeTree
    ) -> [CredentialPolicy] {
        guard let application = verified(stored) else { return [] }
        do {
            let document = try Array(application.accounts.utf8).withUnsafeBytes { try JSONDocument($0) }
            let filter = try AccountFilter(document.root).compiled { Array(nodes.descendants(of: $0)) }
            let policy = ApplicationPolicy(
                id: application.id, organization: application.organization, name: application.name,
                isActive: application.isActive && isOrganizationActive, networks: try AddressPolicy(application.ipGroup),
                filter: filter,
                rateLimit: application.rateLimit)
            return credentials.compactMap { compile($0, of: policy) }
        } catch {
            onFault("application \(application.id): its policy does not compile: \(error)")
            return []
        }
    }

    private func compile(_ stored: Authenticated<Credential>, of application: ApplicationPolicy) -> CredentialPolicy? {
        guard let credential = verified(stored), credential.application == application.id,
            credential.organization == application.organization
        else { return nil }
        do {
            let place = Place.credentialSecret(credential.id, in: credential.organization)
            return try CredentialPolicy(
                id: credential.id, application: application, networks: try AddressPolicy(credential.ipGroup),
                isStrict: credential.isStrict,
                isActive: credential.isActive, expires: credential.dateExpires,
                secret: try keys.open(credential.secret, at: place, with: workspace))
        } catch {
            onFault("credential \(credential.id): \(error)")
            return nil
        }
    }

    private func descendants(in organization: OrganizationID, _ db: any SQLConnection) throws -> NodeTree {
        NodeTree(try Nodes.all(in: organization, on: db).compactMap { verified($0) })
    }

    private func verified<Row: RowAuthenticated>(_ stored: Authenticated<Row>) -> Row? {
        do {
            return try keys.verified(stored, with: workspace)
        } catch {
            onFault("\(error)")
            return nil
        }
    }
}
