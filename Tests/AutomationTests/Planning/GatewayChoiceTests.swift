import Automation
import Domain
import Testing

@Suite("The choice of a gateway")
struct GatewayChoiceTests {
    private static let start = Workshop.start
    private static let zone = Zone(
        id: ZoneID(high: 1, low: 1), organization: .default, name: "dmz", dateCreated: start, dateUpdated: start)

    private static func account(
        _ name: String, on asset: Asset, privileged: Bool = false, isActive: Bool = true, secret: Bool = true,
        type: SecretType = .password, suFrom: AccountID? = nil, age: Int64 = 0
    ) -> Account {
        Account(
            id: .random(), organization: .default, asset: asset.id, name: name, username: name, secretType: type,
            privileged: privileged, isActive: isActive, suFrom: suFrom,
            stages: secret ? SecretStages(current: 1, last: 1) : SecretStages(), dateCreated: start.adding(seconds: -age),
            dateUpdated: start)
    }

    private static func gateway(_ name: String, isActive: Bool = true) -> Asset {
        Asset(
            id: .random(), organization: .default, name: name, address: name, platform: .gateway, isActive: isActive,
            protocols: [AssetProtocol(name: "ssh", port: 2222)], zone: zone.id, dateCreated: start, dateUpdated: start)
    }

    private static func candidate(
        _ asset: Asset, endpoint: [UInt8]? = nil, systems: [String] = ["ssh-host-key:SHA256:abc"],
        accounts: (Asset) -> [Account] = { [account("jump", on: $0)] }
    ) -> GatewayChoice.Candidate {
        GatewayChoice.Candidate(
            asset: asset,
            trust: AssetTrust(
                asset: asset.id, organization: .default, systems: systems, endpoint: endpoint ?? asset.endpoint,
                confirmedBy: "admin", dateConfirmed: start), accounts: accounts(asset))
    }

    private static func words(_ choice: GatewayChoice) -> String {
        if case .blocked(let words) = choice { words } else { "" }
    }

    @Test("the first by name that can be used is used, whatever the order they come in")
    func first() {
        let candidates = [
            Self.candidate(Self.gateway("c")), Self.candidate(Self.gateway("a", isActive: false)),
            Self.candidate(Self.gateway("b")),
        ]
        for list in [candidates, candidates.reversed()] {
            #expect(GatewayChoice.choose(among: list, of: Self.zone).gateway?.asset.name == "b")
        }
        let chosen = GatewayChoice.choose(among: candidates, of: Self.zone).gateway
        #expect(chosen?.port == 2222 && chosen?.hostKeys == ["SHA256:abc"])
    }

    @Test("one that is switched off, unconfirmed, unknown by its key or without an account is not used, and it is said why")
    func faults() {
        let gateway = Self.gateway("jump")
        let none: [(GatewayChoice.Candidate, String)] = [
            (Self.candidate(Self.gateway("jump", isActive: false)), "jump is switched off"),
            (Self.candidate(gateway, endpoint: []), "jump has an endpoint that nobody has confirmed"),
            (.init(asset: gateway, trust: nil, accounts: []), "jump has an endpoint that nobody has confirmed"),
            (Self.candidate(gateway, systems: []), "jump has no pinned host key"),
            (Self.candidate(gateway, systems: ["database:postgresql:1"]), "jump has no pinned host key"),
            (Self.candidate(gateway) { _ in [] }, "jump has no active account with a secret"),
            (
                Self.candidate(gateway) {
                    [
                        Self.account("a", on: $0, isActive: false), Self.account("b", on: $0, secret: false),
                        Self.account("c", on: $0, type: .token), Self.account("d", on: $0, suFrom: .random()),
                    ]
                }, "jump has no active account with a secret"
            ),
        ]
        for (candidate, words) in none {
            #expect(Self.words(GatewayChoice.choose(among: [candidate], of: Self.zone)) == "Zone dmz: \(words).")
        }
        #expect(Self.words(GatewayChoice.choose(among: [], of: Self.zone)) == "Zone dmz: it has no gateway.")
    }

    @Test("its account is a privileged one, else the newest, else the first by name")
    func accounts() {
        func chosen(_ accounts: @escaping (Asset) -> [Account]) -> String? {
            let candidate = Self.candidate(Self.gateway("jump"), accounts: accounts)
            return GatewayChoice.choose(among: [candidate], of: Self.zone).gateway?.account.name
        }
        #expect(
            chosen { [Self.account("new", on: $0), Self.account("root", on: $0, privileged: true, age: 99)] } == "root")
        #expect(chosen { [Self.account("old", on: $0, age: 9), Self.account("new", on: $0)] } == "new")
        #expect(chosen { [Self.account("b", on: $0), Self.account("a", on: $0, type: .sshKey)] } == "a")
    }

    @Test("an asset without a way is refused by the plan, and one with a way says which")
    func plan() {
        let asset = Workshop.asset(1)
        let accounts = [
            Self.account("admin", on: asset, privileged: true), Self.account("app", on: asset),
        ]
        func works(_ way: GatewayChoice) -> [PlannedWork] {
            Planner(
                TaskOrder(kind: .changeSecret, accounts: ["app"]),
                abilities: PlatformAbilities(secretTypes: ["postgresql": [.password]])
            ).works(for: Planner.Subject(asset: asset, accounts: accounts, way: way))
        }
        #expect(works(.direct).map(\.refusal) == [nil] && works(.direct).map(\.gateway) == [nil])
        #expect(works(.blocked("x")).map(\.refusal) == [.noGateway])
        let jump = Self.candidate(Self.gateway("jump"))
        let through = works(GatewayChoice.choose(among: [jump], of: Self.zone))
        #expect(through.map(\.gateway) == [jump.asset.id] && through.map(\.gatewayName) == ["jump"])
    }
}
