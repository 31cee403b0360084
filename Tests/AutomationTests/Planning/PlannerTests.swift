import Automation
import Domain
import Testing

@Suite("Plans")
struct PlannerTests {
    private static let organization = OrganizationID.default
    private static let abilities = PlatformAbilities(secretTypes: [
        "linux": [.password, .sshKey], "postgresql": [.password],
    ])

    private static func asset(platform: Int = 1, isActive: Bool = true) -> Asset {
        Asset(
            id: AssetID(high: 1, low: 1), organization: organization, name: "web-1", address: "WEB-1.example",
            platform: Platform.ID(rawValue: platform), isActive: isActive, dateCreated: .now, dateUpdated: .now)
    }

    private static func account(
        _ username: String, _ type: SecretType = .password, privileged: Bool = false, isActive: Bool = true, reset: Bool = true,
        secret: Bool = true, connectivity: Connectivity = .unknown, suFrom: AccountID? = nil, name: String? = nil
    ) -> Account {
        Account(
            id: .random(), organization: organization, asset: AssetID(high: 1, low: 1), name: name ?? username,
            username: username,
            secretType: type, privileged: privileged, isActive: isActive, secretReset: reset, suFrom: suFrom,
            stages: secret ? SecretStages(current: 1, last: 1) : SecretStages(), connectivity: connectivity, dateCreated: .now,
            dateUpdated: .now)
    }

    private static func plan(
        _ order: TaskOrder, _ accounts: [Account], asset: Asset = asset(), selection: [SelectedAccount]? = nil
    ) -> [PlannedWork] {
        Planner(order, abilities: abilities).works(
            for: Planner.Subject(asset: asset, accounts: accounts.sorted { $0.name < $1.name }, selection: selection))
    }

    private static let change = TaskOrder(kind: .changeSecret, accounts: [TaskOrder.allAccounts])

    @Test("without an exception no privileged account, no root and not the one that does the work is changed")
    func secureMode() {
        let admin = Self.account("admin", privileged: true)
        let accounts = [
            admin, Self.account("root"), Self.account("Administrator"), Self.account("deploy"),
            Self.account("dba", privileged: true),
        ]
        let works = Self.plan(Self.change, accounts)
        let reasons = Dictionary(uniqueKeysWithValues: works.map { ($0.username, $0.refusal) })
        #expect(reasons["admin"] == .privileged)
        #expect(reasons["dba"] == .privileged)
        #expect(reasons["root"] == .reservedName)
        #expect(reasons["Administrator"] == .reservedName)
        #expect(reasons["deploy"] == .some(nil))
        #expect(works.first { $0.username == "deploy" }?.worker == admin.id)
    }

    @Test("with the exception a privileged account is changed where another way in is left, and only there")
    func privileged() {
        var order = Self.change
        order.includesPrivileged = true
        let (root, admin) = (Self.account("root", privileged: true), Self.account("admin", privileged: true))
        let both = Self.plan(order, [root, admin])
        #expect(both.allSatisfy { $0.refusal == nil })
        #expect(both.first { $0.username == "root" }?.worker == admin.id)
        #expect(both.first { $0.username == "admin" }?.worker == root.id)
        #expect(Self.plan(order, [root]).map(\.refusal) == [.oneWayIn])
        // A password and a key of one user are one way in.
        let key = Self.account("root", .sshKey, privileged: true, name: "root-key")
        #expect(Self.plan(order, [root, key]).map(\.refusal) == [.oneWayIn])
    }

    @Test("the account that does the work is the named one, or the best of the privileged ones, and never a chance")
    func worker() {
        let deploy = Self.account("deploy")
        let failed = Self.account("a-admin", privileged: true, connectivity: .authenticationError)
        let untried = Self.account("c-admin", privileged: true)
        let proven = Self.account("z-admin", privileged: true, connectivity: .ok)
        let named = Self.account("ansible")
        func worker(_ accounts: [Account], _ order: TaskOrder = Self.change) -> AccountID? {
            Self.plan(order, accounts + [deploy]).first { $0.username == "deploy" }?.worker
        }
        #expect(worker([failed, untried, proven, named]) == proven.id)
        #expect(worker([failed, untried, named].reversed()) == untried.id)
        #expect(worker([failed, named]) == failed.id)
        #expect(worker([named]) == nil)
        var order = Self.change
        order.worker = "ansible"
        #expect(worker([proven, named], order) == named.id)
        #expect(Self.plan(order, [proven, named]).first { $0.username == "ansible" }?.refusal == .doesTheWork)
        #expect(Self.plan(order, [proven, deploy]).first { $0.username == "deploy" }?.refusal == .noWorker)
    }

    @Test("who cannot do the work is nobody's worker")
    func unable() {
        let deploy = Self.account("deploy")
        for useless in [
            Self.account("admin", privileged: true, isActive: false), Self.account("admin", privileged: true, secret: false),
            Self.account("admin", .token, privileged: true), Self.account("other"),
        ] {
            #expect(Self.plan(Self.change, [deploy, useless]).first { $0.username == "deploy" }?.refusal == .noWorker)
        }
    }

    @Test("what is switched off, protected or beyond every connector is skipped with its reason")
    func reasons() {
        let admin = Self.account("admin", privileged: true)
        func reason(_ account: Account, _ asset: Asset = Self.asset(), _ order: TaskOrder = Self.change) -> Record.Reason? {
            Self.plan(order, [admin, account], asset: asset).first { $0.account == account.id }?.refusal
        }
        #expect(reason(Self.account("x", isActive: false)) == .accountInactive)
        #expect(reason(Self.account("x", reset: false)) == .secretResetOff)
        #expect(reason(Self.account("x"), Self.asset(isActive: false)) == .assetInactive)
        #expect(reason(Self.account("x"), Self.asset(platform: 5)) == .platform)
        var keys = Self.change
        keys.secretType = .sshKey
        #expect(reason(Self.account("x", .sshKey), Self.asset(platform: 19), keys) == .secretKind)
        #expect(reason(Self.account("x", .sshKey), Self.asset(), keys) == nil)
    }

    @Test("a change takes the accounts named that have the kind of secret, and no other")
    func changed() {
        let admin = Self.account("admin", privileged: true)
        var order = Self.change
        order.accounts = ["deploy", "nobody"]
        let works = Self.plan(
            order, [admin, Self.account("deploy"), Self.account("deploy", .sshKey, name: "key"), Self.account("x")])
        #expect(works.map(\.username) == ["deploy"])
        #expect(works.map(\.secretType) == [.password])
    }

    @Test("a push takes what the vault has and what is named beside it, and says what it would do")
    func pushed() throws {
        let admin = Self.account("admin", privileged: true)
        let order = TaskOrder(kind: .pushAccount, accounts: ["deploy", "new", "empty"])
        let works = Self.plan(order, [admin, Self.account("deploy"), Self.account("empty", secret: false)])
        #expect(works.map(\.username) == ["deploy", "empty", "new"])
        #expect(works.map { $0.account == nil } == [false, false, true])
        let acts = works.map { $0.pushActs(order) }
        #expect(acts.map(\.absent) == [.createWithStored, .create, .create])
        #expect(acts.map(\.present) == [.nothing, .adopt, .adopt])
    }

    @Test("a proof needs a secret, and no worker but the account that is switched from")
    func verified() {
        let base = Self.account("base")
        let accounts = [
            base, Self.account("empty", secret: false), Self.account("su", suFrom: base.id),
            Self.account("root", privileged: true),
            Self.account("api", .token), Self.account("orphan", suFrom: .random()),
        ]
        let works = Self.plan(TaskOrder(kind: .verifyAccount, accounts: [TaskOrder.allAccounts]), accounts)
        let found = Dictionary(uniqueKeysWithValues: works.map { ($0.username, ($0.refusal, $0.worker)) })
        #expect(found["base"].map { $0.0 == nil && $0.1 == nil } == true)
        #expect(found["root"].map { $0.0 == nil } == true)
        #expect(found["empty"]?.0 == .noSecret)
        #expect(found["su"]?.1 == base.id)
        #expect(found["orphan"]?.0 == .noWorker)
        #expect(found["api"] == nil)
    }

    @Test("a removal is one for each user, and never of an account that the system needs, whatever the task includes")
    func removed() {
        let admin = Self.account("admin", privileged: true)
        var order = TaskOrder(kind: .removeAccount, accounts: [TaskOrder.allAccounts])
        order.includesPrivileged = true
        let works = Self.plan(
            order,
            [
                admin, Self.account("old"), Self.account("old", .sshKey, name: "old-key"), Self.account("root"),
                Self.account("postgres"),
            ])
        #expect(works.filter { $0.username == "old" }.count == 1)
        #expect(works.first { $0.username == "root" }?.refusal == .reservedName)
        #expect(works.first { $0.username == "postgres" }?.refusal == .reservedName)
    }

    @Test("a selection takes exactly its accounts, with their versions, under the same rules")
    func selection() {
        let admin = Self.account("admin", privileged: true)
        let (deploy, root) = (Self.account("deploy"), Self.account("root"))
        var order = TaskOrder(kind: .restoreSecret)
        order.selection = [SelectedAccount(account: deploy.id, version: 4), SelectedAccount(account: root.id, version: 1)]
        let works = Self.plan(order, [admin, deploy, root], selection: order.selection)
        #expect(works.map(\.version) == [4, 1])
        #expect(works.map(\.refusal) == [nil, .reservedName])
    }
}
