internal import Access
internal import Domain
internal import Storage

/// The accounts that an application's filter shows, as conditions of the list of accounts.
///
/// What SQL cannot tell (`ip_in`) is asked row by row, up to a bound. For display only: what an application may fetch is decided on the hot path.
struct AccountScope: Sendable {
    typealias Filter = ListFilter<Storage.AccountField>

    /// Rows that are looked at one by one at most.
    static let bound = 10_000

    private var filters: [Filter] = []
    private var networks: [AddressPolicy] = []

    init(_ filter: AccountFilter, nodes: NodeTree) {
        switch filter.selection {
        case .all: break
        case .ids(let ids): filters.append(Filter(.id, anyOf: ids))
        case .attributes(let rules):
            if rules.isEmpty { filters.append(Self.never) }
            for rule in rules { add(rule, nodes) }
        }
    }

    /// How many accounts it shows; nil where that is too much work to tell.
    func count(in organization: OrganizationID, _ transaction: Transaction) throws -> Int? {
        guard isExpressible else { return nil }
        if networks.isEmpty {
            let request = ListRequest<Storage.AccountField>(filters: filters, limit: 0)
            return Int(exactly: try Accounts.list(request, in: organization, on: transaction.db).total)
        }
        return try members(in: organization, transaction)?.count
    }

    /// What narrows the list of accounts to the scope; nil where that is too much work to tell.
    func conditions(in organization: OrganizationID, _ transaction: Transaction) throws -> [Filter]? {
        guard isExpressible else { return nil }
        if networks.isEmpty { return filters }
        return try members(in: organization, transaction).map { [Filter(.id, anyOf: $0)] }
    }

    /// Whether a statement can carry all the values.
    private var isExpressible: Bool {
        let values = filters.reduce(into: 0) { count, filter in
            if case .anyOf(let values) = filter.match { count += values.count } else { count += 4 }
        }
        return values <= 20_000
    }

    private func members(in organization: OrganizationID, _ transaction: Transaction) throws -> [AccountID]? {
        let request = ListRequest<Storage.AccountField>(filters: filters, limit: Int64(Self.bound))
        let page = try Accounts.list(request, in: organization, on: transaction.db)
        guard page.total <= Self.bound else { return nil }
        return try page.rows.compactMap { row in
            let asset = try transaction.keys.verified(row.asset)
            guard let address = IPAddress(asset.address), networks.allSatisfy({ $0.allows(address) }) else { return nil }
            return row.account.value.id
        }
    }

    private static var never: Filter { Filter(.id, .anyOf([])) }
}

// MARK: - Rules

extension AccountScope {
    private mutating func add(_ rule: AccountRule, _ nodes: NodeTree) {
        if case .anything = rule.value {
            if rule.match != .exact, rule.match != .in { filters.append(Self.never) }
            return
        }
        if rule.match == .addressIn {
            guard let policy = try? AddressPolicy(rule.value.list ?? []) else { return filters.append(Self.never) }
            return networks.append(policy)
        }
        switch rule.field {
        case .name: text(rule, .name)
        case .username: text(rule, .username)
        case .assetName: text(rule, .assetName)
        case .address: text(rule, .address)
        case .privileged: flag(rule, .privileged)
        case .isActive: flag(rule, .isActive)
        case .secretType: selection(rule.value.list ?? [], rule.match, of: SecretType.allCases.map(\.rawValue), .secretType)
        case .platform, .category, .type: platform(rule)
        case .labels, .asset, .nodes: related(rule, nodes)
        }
    }

    private mutating func text(_ rule: AccountRule, _ field: Storage.AccountField) {
        guard let texts = rule.value.list, let first = texts.first else { return filters.append(Self.never) }
        let match: ListMatch? =
            switch rule.match {
            case .exact: .exact(.text(first))
            case .not: .not(.text(first))
            case .in: .anyOf(texts.map { .text($0) })
            case .contains: .containsExactly(first)
            case .startswith: .startsWith(first)
            case .endswith: .endsWith(first)
            case .gte: .ordered(.greaterOrEqual, first)
            case .lte: .ordered(.lessOrEqual, first)
            case .gt: .ordered(.greater, first)
            case .lt: .ordered(.less, first)
            default: nil
            }
        filters.append(match.map { Filter(field, $0) } ?? Self.never)
    }

    private mutating func flag(_ rule: AccountRule, _ field: Storage.AccountField) {
        guard case .flag(let value) = rule.value, rule.match == .exact || rule.match == .not else {
            return filters.append(Self.never)
        }
        filters.append(Filter(field, .exact(.flag(value == (rule.match == .exact)))))
    }

    private mutating func selection(_ values: [String], _ match: AccountMatch, of all: [String], _ field: Storage.AccountField) {
        let chosen: [String]
        switch match {
        case .exact, .in, .anyOf: chosen = values
        case .not: chosen = all.filter { !values.contains($0) }
        default: chosen = []
        }
        filters.append(Filter(field, .anyOf(chosen.map { .text($0) })))
    }

    private mutating func platform(_ rule: AccountRule) {
        let names: [String]
        if case .platforms(let ids, _) = rule.value {
            names = ids.compactMap { Platform.named($0)?.name }
        } else {
            let texts = rule.value.list ?? []
            names = Platform.all.filter { texts.contains(rule.field == .category ? $0.category.rawValue : $0.type) }.map(\.name)
        }
        selection(names, rule.match, of: Platform.all.map(\.name), .platform)
    }

    private mutating func related(_ rule: AccountRule, _ nodes: NodeTree) {
        guard case .ids(let ids, _) = rule.value, !ids.isEmpty else { return filters.append(Self.never) }
        switch rule.field {
        case .labels where rule.match == .allOf: for id in ids { filters.append(Filter(.label, anyOf: [id])) }
        case .labels: filters.append(Filter(.label, anyOf: ids))
        case .asset: filters.append(Filter(.asset, anyOf: ids))
        default:
            let trees = ids.map { Array(nodes.descendants(of: $0.retyped(as: Node.self))) }
            if rule.match == .allOf {
                for tree in trees { filters.append(Filter(.node, anyOf: tree)) }
            } else {
                filters.append(Filter(.node, anyOf: trees.flatMap { $0 }))
            }
        }
    }
}

extension AccountRuleValue {
    fileprivate var list: [String]? {
        switch self {
        case .text(let text): [text]
        case .texts(let texts): texts
        default: nil
        }
    }
}

extension NodeTree {
    /// An organization's tree, every row verified.
    static func stored(in organization: OrganizationID, _ transaction: Transaction) throws -> NodeTree {
        NodeTree(try transaction.keys.verified(Nodes.all(in: organization, on: transaction.db)))
    }
}
