/// What may be believed of an asset's far side: which system it showed itself to be, and which endpoint somebody stood in for.
///
/// A stored secret is sent only where both agree with the asset as it is now, so that whoever may edit an asset cannot have its
/// passwords delivered to a host of their own.
package struct AssetTrust: Sendable, Hashable {
    package let asset: AssetID
    package let organization: OrganizationID
    /// `strict` or `accept-new`.
    package var policy: String
    /// What the target showed itself to be, as `TargetIdentity.System.text`; empty until the first contact.
    package var systems: [String]
    /// `Asset.endpoint` as it was at the first contact or when somebody confirmed it.
    package var endpoint: [UInt8]
    package var confirmedBy: String
    package var dateConfirmed: Timestamp

    package init(
        asset: AssetID, organization: OrganizationID, policy: String = "accept-new", systems: [String] = [],
        endpoint: [UInt8], confirmedBy: String, dateConfirmed: Timestamp
    ) {
        self.asset = asset
        self.organization = organization
        self.policy = policy
        self.systems = systems
        self.endpoint = endpoint
        self.confirmedBy = confirmedBy
        self.dateConfirmed = dateConfirmed
    }

    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(policy)
        canonical.append(systems)
        canonical.append(endpoint)
        canonical.append(confirmedBy)
        canonical.append(dateConfirmed)
    }

    /// Who confirms what shows itself at the first contact: nobody did.
    package static let firstContact = "first contact"

    /// Whether a person stands in for it.
    package var isConfirmedByPerson: Bool { confirmedBy != Self.firstContact && !confirmedBy.isEmpty }

    /// The SSH host keys among the pinned systems, in OpenSSH's form.
    package var hostKeys: [String] {
        systems.compactMap { $0.hasPrefix(Self.hostKeyPrefix) ? String($0.dropFirst(Self.hostKeyPrefix.count)) : nil }
    }

    static let hostKeyPrefix = "ssh-host-key:"

    /// Whether a system that showed itself may be worked on; a first one may where the policy says so.
    package func accepts(_ system: TargetIdentity.System) -> Bool {
        systems.isEmpty ? policy != "strict" : systems.contains(system.text)
    }
}

extension TargetIdentity.System {
    private static let databasePrefix = "database:"

    /// A one-line form, for pins and lists.
    package var text: String {
        switch self {
        case .sshHostKey(let fingerprint): AssetTrust.hostKeyPrefix + fingerprint
        case .database(let kind, let identifier): Self.databasePrefix + "\(kind):\(identifier)"
        }
    }

    /// Reads the one-line form; nil if it is none.
    package init?(text: String) {
        if text.hasPrefix(AssetTrust.hostKeyPrefix) {
            self = .sshHostKey(String(text.dropFirst(AssetTrust.hostKeyPrefix.count)))
            return
        }
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard text.hasPrefix(Self.databasePrefix), parts.count == 3 else { return nil }
        self = .database(kind: String(parts[1]), identifier: String(parts[2]))
    }
}

extension Asset {
    /// Where secrets of its accounts are sent, and how safely: address, platform, protocols with ports, the settings of TLS and the like, and the zone by
    /// whose gateways they travel.
    package var endpoint: [UInt8] {
        var canonical = CanonicalBytes()
        canonical.append("keyturn/endpoint/v1")
        canonical.append(address)
        canonical.append(Int64(platform.rawValue))
        canonical.append(protocols.map { "\($0.name)/\($0.port)" }.sorted())
        canonical.append(specific.keys.sorted().flatMap { [$0, specific[$0] ?? ""] })
        // As in the row's code: without a zone it is what it was before there were any.
        if let zone { canonical.append(zone) }
        return canonical.bytes
    }
}
