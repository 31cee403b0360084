package typealias ChangeID = Identifier<OpenChange>

/// A turn that is not over: what is needed to go on with it after a crash. There is at most one of an account and of a user on a target.
package struct OpenChange: Sendable, Hashable {
    /// What the turn was to do.
    package enum Kind: String, Sendable, CaseIterable {
        /// Set a new secret.
        case change
        /// Create the account on the target.
        case create
        /// Find out which of the kept secrets is live.
        case recover
        /// Take the account away from the target.
        case remove
    }

    package let id: ChangeID
    package let organization: OrganizationID
    package let account: AccountID
    package let asset: AssetID
    /// `TargetIdentity.canonical` of whose secret it is.
    package var identity: [UInt8]
    package let kind: Kind
    package let plan: SecretTurn.Plan
    package let request: Request
    /// The version that was current when it began; nil if there was none.
    package let old: Int64?
    package let startedBy: String
    package let dateOpened: Timestamp
    package var stage: SecretTurn.Stage
    package var memory: SecretTurn.Memory
    package var dateUpdated: Timestamp

    /// What the connector was asked, without the secret.
    package struct Request: Sendable, Hashable {
        /// The name as the target has it.
        package let username: String
        package let secretType: SecretType
        /// JumpServer's word for what happens to other keys.
        package let keyStrategy: String
        package let parameters: [String: String]
        /// The account that does the work.
        package let worker: AccountID
        /// Of a removal: what tells the very account from one that is made anew under its name, as the connector has it.
        package let mark: String?
        /// Of a removal: whether the target was seen to store the secret that is current.
        package let isSecretSeen: Bool

        package init(
            username: String, secretType: SecretType, keyStrategy: String, parameters: [String: String], worker: AccountID,
            mark: String? = nil, isSecretSeen: Bool = false
        ) {
            self.username = username
            self.secretType = secretType
            self.keyStrategy = keyStrategy
            self.parameters = parameters
            self.worker = worker
            self.mark = mark
            self.isSecretSeen = isSecretSeen
        }
    }

    package init(
        id: ChangeID, organization: OrganizationID, account: AccountID, asset: AssetID, identity: [UInt8], kind: Kind,
        plan: SecretTurn.Plan, request: Request, old: Int64?, startedBy: String, dateOpened: Timestamp,
        stage: SecretTurn.Stage, memory: SecretTurn.Memory, dateUpdated: Timestamp
    ) {
        self.id = id
        self.organization = organization
        self.account = account
        self.asset = asset
        self.identity = identity
        self.kind = kind
        self.plan = plan
        self.request = request
        self.old = old
        self.startedBy = startedBy
        self.dateOpened = dateOpened
        self.stage = stage
        self.memory = memory
        self.dateUpdated = dateUpdated
    }

    /// The turn as it was stored.
    package var turn: SecretTurn { turn(limits: SecretTurn.Limits()) }

    package func turn(limits: SecretTurn.Limits) -> SecretTurn {
        var plan = plan
        if kind == .remove { plan.repeatsUntil = dateOpened.adding(seconds: SecretTurn.removalSeconds) }
        return SecretTurn(plan, stage: stage, memory: memory, limits: limits)
    }

    /// What reads and lists call it.
    package var word: String {
        if stage == .uncertain { return "uncertain" }
        return kind == .remove ? "removing" : stage == .retiring ? "retiring" : "changing"
    }
}

extension OpenChange {
    /// Everything of it, for the row's authentication code: who could change a stage or a candidate could have a secret lost or promoted.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(account)
        canonical.append(asset)
        canonical.append(identity)
        canonical.append(stage.rawValue)
        canonical.append(fields)
        canonical.append(memory.notBefore)
        canonical.append(dateOpened)
    }
}
