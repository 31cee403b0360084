package import Access
package import Domain
package import Storage

/// Looks up what an order is about, within one organization, and plans it.
package struct TaskScope: Sendable {
    package let order: TaskOrder
    package let organization: OrganizationID
    package let abilities: PlatformAbilities

    /// Accounts that one execution is about at most.
    package static let largest = 20_000

    package init(_ order: TaskOrder, in organization: OrganizationID, abilities: PlatformAbilities) {
        self.order = order
        self.organization = organization
        self.abilities = abilities
    }

    /// The plan, asset by asset in the order of their names. Reads only; throws where it comes to more than one execution takes.
    ///
    /// A row that cannot be read, or does not authenticate, decides nothing: its asset or account is refused by name, and the others go on.
    package func plan(with keys: RowKeys, on db: any SQLConnection) throws -> WorkPlan {
        let planner = Planner(order, abilities: abilities)
        var lookup = GatewayLookup(keys, db)
        var plan = WorkPlan()
        for found in try assets(keys, db) {
            switch found {
            case .asset(let asset, let selection):
                guard let (accounts, damaged) = try accounts(of: asset, keys, db), let way = try way(to: asset, &lookup) else {
                    plan.works.append(refused(asset.id, asset.name, .damagedRow))
                    break
                }
                plan.works += planner.works(
                    for: Planner.Subject(asset: asset, accounts: accounts, selection: selection, way: way))
                plan.works += damaged.filter { concerns($0, selection) }.map { refused(asset, $0) }
            case .refused(let id, let name, let reason):
                plan.works.append(refused(id, name, reason))
            }
            guard plan.works.count <= Self.largest else {
                throw Refusal.conflict("More than \(Self.largest) accounts at once: divide the task.")
            }
        }
        return plan
    }

    /// What a run that began now would come to, as far as rows tell: the plan, without what each account's own work would be turned away
    /// from before it begins. A run finds that out when its turn comes, since it may be over by then.
    package func forecast(with keys: RowKeys, on db: any SQLConnection) throws -> WorkPlan {
        var plan = try plan(with: keys, on: db)
        var hindrances: [AssetID: Record.Reason?] = [:]
        for index in plan.works.indices where plan.works[index].refusal == nil {
            let work = plan.works[index]
            let reason: Record.Reason?
            if let known = hindrances[work.asset] {
                reason = known
            } else {
                reason = try hindrance(on: work.asset, keys, db)
                hindrances[work.asset] = .some(reason)
            }
            plan.works[index].refusal = try reason ?? (isBusy(work, db) ? .busy : nil)
        }
        return plan
    }

    /// Why nothing is sent to the asset: nobody stands in for where it leads now, or its rows are damaged.
    private func hindrance(on id: AssetID, _ keys: RowKeys, _ db: any SQLConnection) throws -> Record.Reason? {
        guard let row = try AssetTrusts.get(id, in: organization, on: db) else { return nil }
        guard let trust = try? keys.verified(row),
            let asset = try Assets.get(id, in: organization, on: db).flatMap({ try? keys.verified($0) })
        else { return .damagedRow }
        return trust.endpoint == asset.endpoint ? nil : .paused
    }

    private func isBusy(_ work: PlannedWork, _ db: any SQLConnection) throws -> Bool {
        guard order.kind != .verifyAccount, let account = work.account else { return false }
        return try SecretChanges.found(of: account, in: organization, on: db) != nil
    }

    /// Nil where a row of the zone or of a gateway does not authenticate.
    private func way(to asset: Asset, _ lookup: inout GatewayLookup) throws -> GatewayChoice? {
        do {
            return try lookup.choice(for: asset)
        } catch is Refusal {
            return nil
        }
    }

    private enum Found {
        case asset(Asset, [SelectedAccount]?)
        case refused(AssetID, name: String, Record.Reason)

        var name: String {
            switch self {
            case .asset(let asset, _): asset.name
            case .refused(_, let name, _): name
            }
        }
    }

    // MARK: - Assets

    private func assets(_ keys: RowKeys, _ db: any SQLConnection) throws -> [Found] {
        let selected = try selectedAssets(db)
        let nodes = try nodes(keys, db)
        var ids = Set(order.assets).union(selected.keys)
        if !nodes.isEmpty {
            ids.formUnion(
                try Assets.ids(under: nodes.sorted(), in: organization, limit: Int64(Self.largest) + 1, on: db))
        }
        var found: [Found] = []
        for id in ids.sorted() {
            let stored: Authenticated<Asset>?
            do {
                stored = try Assets.get(id, in: organization, on: db)
            } catch StorageFault.corrupt {
                found.append(.refused(id, name: "", .damagedRow))
                continue
            }
            guard let row = stored else {
                found.append(.refused(id, name: "", .assetGone))
                continue
            }
            guard let asset = try? keys.verified(row) else {
                found.append(.refused(id, name: row.value.name, .damagedRow))
                continue
            }
            // The index of nodes is only an index: the asset's own row says where it belongs.
            guard order.assets.contains(id) || selected[id] != nil || !nodes.isDisjoint(with: asset.nodes) else { continue }
            found.append(.asset(asset, selected[id]))
        }
        return found.sorted { $0.name < $1.name }
    }

    private func selectedAssets(_ db: any SQLConnection) throws -> [AssetID: [SelectedAccount]] {
        var selected: [AssetID: [SelectedAccount]] = [:]
        for choice in order.selection {
            // One that is gone has nothing that could be shown; whoever selects accounts checks that they are there.
            guard let row = try Accounts.get(choice.account, in: organization, on: db) else { continue }
            selected[row.value.asset, default: []].append(choice)
        }
        return selected
    }

    /// The nodes with everything below them, from rows that authenticate.
    private func nodes(_ keys: RowKeys, _ db: any SQLConnection) throws -> Set<NodeID> {
        guard !order.nodes.isEmpty else { return [] }
        let tree = NodeTree(try keys.verified(Nodes.all(in: organization, on: db)))
        return order.nodes.reduce(into: []) { $0.formUnion(tree.descendants(of: $1)) }
    }

    // MARK: - Accounts

    /// Nil where the row of one of them cannot be read: nobody knows whose it is.
    private func accounts(
        of asset: Asset, _ keys: RowKeys, _ db: any SQLConnection
    ) throws -> (good: [Account], damaged: [Account])? {
        var good: [Account] = []
        var damaged: [Account] = []
        let rows: [Authenticated<Account>]
        do { rows = try Accounts.all(of: asset.id, in: organization, on: db) } catch StorageFault.corrupt { return nil }
        for row in rows {
            if let account = try? keys.verified(row) { good.append(account) } else { damaged.append(row.value) }
        }
        return (good, damaged)
    }

    private func concerns(_ account: Account, _ selection: [SelectedAccount]?) -> Bool {
        if let selection { return selection.contains { $0.account == account.id } }
        return order.accounts.contains(TaskOrder.allAccounts) || order.accounts.contains(account.username)
    }

    private func refused(_ asset: Asset, _ account: Account) -> PlannedWork {
        PlannedWork(
            asset: asset.id, assetName: asset.name, host: asset.address.lowercased(), platformType: "", account: account.id,
            accountName: account.name, username: account.username, secretType: account.secretType, version: nil,
            hasSecret: account.stages.current != nil, worker: nil, workerName: "", gateway: nil, gatewayName: "",
            refusal: .damagedRow)
    }

    private func refused(_ asset: AssetID, _ name: String, _ reason: Record.Reason) -> PlannedWork {
        PlannedWork(
            asset: asset, assetName: name, host: "", platformType: "", account: nil, accountName: "", username: "",
            secretType: order.secretType, version: nil, hasSecret: false, worker: nil, workerName: "",
            gateway: nil, gatewayName: "", refusal: reason)
    }
}
