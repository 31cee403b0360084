internal import Domain

/// Everything that the hot path asks about applications, as it stands at one moment. Immutable: a change makes a new one.
package final class PolicySnapshot: Sendable {
    private let credentials: [CredentialID: CredentialPolicy]
    /// Organizations by name, for clients that name theirs so in `X-JMS-ORG`.
    private let organizationNames: [String: OrganizationID]

    init(credentials: [CredentialID: CredentialPolicy], organizationNames: [String: OrganizationID]) {
        self.credentials = credentials
        self.organizationNames = organizationNames
    }

    package var credentialCount: Int { credentials.count }

    func credential(_ id: CredentialID) -> CredentialPolicy? { credentials[id] }

    /// Whether an `X-JMS-ORG` header value means the organization: its id, its name, or a word that stands for the default one.
    func header(_ value: UnsafeRawBufferPointer, means organization: OrganizationID) -> Bool {
        if value.isEmpty { return true }
        if let id = OrganizationID(utf8: value) { return id == organization }
        let text = String(decoding: value, as: UTF8.self)
        if text.lowercased() == "default" { return organization == .default }
        return organizationNames[text] == organization
    }

    /// The same with one application's credentials replaced.
    func replacing(_ application: ApplicationID, with policies: [CredentialPolicy]) -> PolicySnapshot {
        var all = credentials.filter { $0.value.application.id != application }
        for policy in policies { all[policy.id] = policy }
        return PolicySnapshot(credentials: all, organizationNames: organizationNames)
    }
}
