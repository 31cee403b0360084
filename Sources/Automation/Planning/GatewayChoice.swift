internal import Access
package import Domain
internal import Storage

/// By which way the work on an asset goes. Never left to chance, and never straight because no gateway can be used: what is in a zone is
/// reached through its gateways or not at all.
package enum GatewayChoice: Sendable, Hashable {
    case direct
    case through(ZoneGateway)
    /// There is no way; the words say what is wrong with each gateway.
    case blocked(String)

    package var gateway: ZoneGateway? { if case .through(let gateway) = self { gateway } else { nil } }

    /// The first gateway by name that can be used, with the account to log in to it as.
    package static func choose(among gateways: [Candidate], of zone: Zone) -> GatewayChoice {
        var faults: [String] = []
        for candidate in gateways.sorted(by: { ($0.asset.name, $0.asset.id) < ($1.asset.name, $1.asset.id) }) {
            switch candidate.judgement {
            case .success(let gateway): return .through(gateway)
            case .failure(let fault): faults.append("\(candidate.asset.name) \(fault.rawValue)")
            }
        }
        return .blocked("Zone \(zone.name): " + (faults.isEmpty ? "it has no gateway." : faults.joined(separator: ", ") + "."))
    }
}

/// A gateway that may be used.
package struct ZoneGateway: Sendable, Hashable {
    package let asset: Asset
    package let account: Account
    /// The host keys of which it must show one.
    package let hostKeys: [String]

    package var port: Int { asset.protocols.first { $0.name == "ssh" }?.port ?? Platform.defaultPorts["ssh"] ?? 22 }
}

extension GatewayChoice {
    /// A gateway of the zone with what is known of it.
    package struct Candidate: Sendable {
        package let asset: Asset
        package let trust: AssetTrust?
        package let accounts: [Account]

        package init(asset: Asset, trust: AssetTrust?, accounts: [Account]) {
            self.asset = asset
            self.trust = trust
            self.accounts = accounts
        }
    }

    enum Fault: String, Error {
        case inactive = "is switched off"
        case paused = "has an endpoint that nobody has confirmed"
        case unpinned = "has no pinned host key"
        case noAccount = "has no active account with a secret"
    }
}

extension GatewayChoice.Candidate {
    /// All that goes into the zone goes through it, so nothing of it is taken on trust at a first contact: its endpoint is confirmed and its
    /// host key is known before.
    fileprivate var judgement: Result<ZoneGateway, GatewayChoice.Fault> {
        guard asset.isActive else { return .failure(.inactive) }
        guard let trust, trust.endpoint == asset.endpoint else { return .failure(.paused) }
        guard !trust.hostKeys.isEmpty else { return .failure(.unpinned) }
        let able = accounts.filter {
            $0.isActive && $0.stages.current != nil && $0.suFrom == nil && [.password, .sshKey].contains($0.secretType)
        }
        guard let account = able.min(by: Self.precedes) else { return .failure(.noAccount) }
        return .success(ZoneGateway(asset: asset, account: account, hostKeys: trust.hostKeys))
    }

    /// Privileged ones first, then the newest, as JumpServer has it; among equals the name decides.
    private static func precedes(_ a: Account, _ b: Account) -> Bool {
        if a.privileged != b.privileged { return a.privileged }
        if a.dateCreated != b.dateCreated { return a.dateCreated > b.dateCreated }
        return (a.name, a.id) < (b.name, b.id)
    }
}

/// Looks the ways to assets up in one transaction; a zone is looked at once.
///
/// Every row that it rests on is verified: one that does not authenticate throws, since the next gateway in its place would be somebody
/// else's choice.
struct GatewayLookup {
    private let keys: RowKeys
    private let db: any SQLConnection
    private var known: [ZoneID: GatewayChoice] = [:]

    init(_ keys: RowKeys, _ db: any SQLConnection) {
        self.keys = keys
        self.db = db
    }

    mutating func choice(for asset: Asset) throws -> GatewayChoice {
        // A gateway is the way in itself.
        guard let id = asset.zone, !asset.isGateway else { return .direct }
        if let choice = known[id] { return choice }
        let organization = asset.organization
        let zone = try keys.verified(Zones.get(id, in: organization, on: db))
        let candidates = try keys.verified(Zones.gateways(of: id, in: organization, on: db)).map { gateway in
            GatewayChoice.Candidate(
                asset: gateway,
                trust: try AssetTrusts.get(gateway.id, in: organization, on: db).map { try keys.verified($0) },
                accounts: try keys.verified(Accounts.all(of: gateway.id, in: organization, on: db)))
        }
        let choice = GatewayChoice.choose(among: candidates, of: zone)
        known[id] = choice
        return choice
    }
}
