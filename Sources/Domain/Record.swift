/// What an execution did to one account.
package struct Record: Sendable, Hashable {
    package let id: RecordID
    package let organization: OrganizationID
    package let execution: ExecutionID
    package let kind: TaskKind
    package let asset: AssetID
    /// Names at that time.
    package let assetName: String
    /// Nil as long as the vault has no such account.
    package var account: AccountID?
    package let username: String
    package let secretType: SecretType
    package var status: Status
    /// Why; a word from a closed list, empty for a plain success.
    package var reason: Reason?
    /// What the target said, or what stands in the way: a short text without secrets.
    package var detail: String
    /// When the target will take a change again, where it said so.
    package var until: Timestamp?
    /// Numbers of the account's secret versions before and after; the values are revealed as the account's are.
    package var oldVersion: Int64?
    package var newVersion: Int64?
    package var steps: [Step]
    package let dateCreated: Timestamp
    package var dateStart: Timestamp?
    package var dateFinished: Timestamp?
    /// Somebody has seen the failure and wants to hear no more of it.
    package var isIgnored: Bool

    package init(
        id: RecordID, organization: OrganizationID, execution: ExecutionID, kind: TaskKind, asset: AssetID, assetName: String,
        account: AccountID?, username: String, secretType: SecretType, status: Status = .pending, reason: Reason? = nil,
        detail: String = "", until: Timestamp? = nil, oldVersion: Int64? = nil, newVersion: Int64? = nil, steps: [Step] = [],
        dateCreated: Timestamp, dateStart: Timestamp? = nil, dateFinished: Timestamp? = nil, isIgnored: Bool = false
    ) {
        self.id = id
        self.organization = organization
        self.execution = execution
        self.kind = kind
        self.asset = asset
        self.assetName = assetName
        self.account = account
        self.username = username
        self.secretType = secretType
        self.status = status
        self.reason = reason
        self.detail = detail
        self.until = until
        self.oldVersion = oldVersion
        self.newVersion = newVersion
        self.steps = steps
        self.dateCreated = dateCreated
        self.dateStart = dateStart
        self.dateFinished = dateFinished
        self.isIgnored = isIgnored
    }

    package enum Status: String, Sendable, CaseIterable {
        case pending, success, failed
        /// It is not known which secret is live; the vault has every one that may be.
        case uncertain
        /// It was changed, but nothing on the target can prove it.
        case unverifiable
        /// Nothing was tried.
        case skipped
        /// The target's own policy refuses a change, perhaps until a date.
        case refused

        package var label: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
        /// Whether somebody ought to look at it.
        package var needsAttention: Bool { self != .pending && self != .success && self != .skipped }
    }

    /// Something that was done, how it ended, and when.
    package struct Step: Sendable, Hashable {
        package let step: TurnStep
        /// Why it did not end as asked; nil where it did.
        package let reason: Reason?
        /// How it ended, for people; without secrets, and empty where there is nothing to be said.
        package let words: String
        package let date: Timestamp

        package init(_ step: TurnStep, reason: Reason? = nil, words: String = "", date: Timestamp) {
            self.step = step
            self.reason = reason
            self.words = words
            self.date = date
        }
    }

    /// The fields that decide which secret a later retry or restore takes, and what is told of it, for the row's authentication code.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(execution)
        canonical.append(kind.rawValue)
        canonical.append(asset)
        canonical.append(assetName)
        canonical.append(account)
        canonical.append(username)
        canonical.append(secretType.rawValue)
        canonical.append(status.rawValue)
        canonical.append(reason?.rawValue ?? "")
        canonical.append(detail)
        canonical.append(oldVersion)
        canonical.append(newVersion)
        canonical.append(isIgnored)
    }
}

package typealias RecordID = Identifier<Record>

extension Record {
    /// Why an account was skipped, or why its change did not end in a success.
    package enum Reason: String, Sendable, CaseIterable {
        // Of the plan: nothing was tried.
        case assetGone = "asset_gone"
        case assetInactive = "asset_inactive"
        case accountGone = "account_gone"
        case accountInactive = "account_inactive"
        case secretResetOff = "secret_reset_off"
        case privileged
        case reservedName = "reserved_name"
        case doesTheWork = "does_the_work"
        case noWorker = "no_worker"
        case oneWayIn = "one_way_in"
        case noSecret = "no_secret"
        case noGateway = "no_gateway"
        case platform = "unsupported_platform"
        case secretKind = "unsupported_secret_type"
        case damagedRow = "damaged_row"
        case canceled
        case interrupted
        // Of a push.
        case existsAlready = "exists_already"
        case systemAccount = "system_account"
        // Of the work itself.
        case busy
        case unreachable
        case hostKeyChanged = "host_key_changed"
        case noSafeChannel = "no_safe_channel"
        case workerRejected = "worker_rejected"
        case lockedOut = "locked_out"
        case notPermitted = "not_permitted"
        case notOnTarget = "not_on_target"
        case policyQuality = "policy_quality"
        case policyHistory = "policy_history"
        case policyMinimumAge = "policy_minimum_age"
        case unsupported
        case forbidden
        case brokenProtocol = "broken_protocol"
        case timedOut = "timed_out"
        case cut
        case secretRejected = "secret_rejected"
        case noProof = "no_proof"
        case notChecked = "not_checked"
        case doubt
        case notApplied = "not_applied"
        case replaced
        case ownsObjects = "owns_objects"
        case oldNotRetired = "old_not_retired"
        case noneOfOurs = "none_of_ours"
        case noLoginLeft = "no_login_left"
        case sameTarget = "same_target"
        case paused
        case forced
        case storage
        case `internal`
    }
}

extension Record.Reason {
    /// What it means, for people.
    package var words: String {
        switch self {
        case .assetGone: "The asset is no longer there."
        case .assetInactive: "The asset is switched off."
        case .accountGone: "The vault has no such account on the asset."
        case .accountInactive: "The account is switched off."
        case .secretResetOff: "The account's secret may not be changed (secret_reset)."
        case .privileged: "Privileged accounts are left alone unless the task includes them."
        case .reservedName: "root and administrator are left alone unless the task includes privileged accounts."
        case .doesTheWork: "It is the account that does the work, and no other can."
        case .noWorker: "The asset has no privileged account with a secret that could do the work."
        case .oneWayIn: "A privileged account is changed only where a second way in is known."
        case .noSecret: "The vault has no secret of this account."
        case .noGateway:
            "No gateway of the asset's zone is active, confirmed, known by its host key, and has an account with a secret."
        case .platform: "Nothing here can work on this platform."
        case .secretKind: "This platform's accounts have no such secret."
        case .damagedRow: "Its stored row does not authenticate."
        case .canceled: "The execution was canceled before."
        case .interrupted: "The server stopped before."
        case .existsAlready: "It is on the target and in the vault."
        case .systemAccount: "System accounts are left alone unless the task includes them."
        case .busy: "Another change of this account is open."
        case .unreachable: "The target cannot be reached."
        case .hostKeyChanged: "The host showed another key than the known one."
        case .noSafeChannel: "There is no way by which the secret could travel unseen."
        case .workerRejected: "The account that does the work was not let in."
        case .lockedOut: "The login is refused for another reason than a wrong secret."
        case .notPermitted: "The account that does the work may not do this."
        case .notOnTarget: "The account is not on the target."
        case .policyQuality: "The target's policy finds the secret too weak."
        case .policyHistory: "The target's policy refuses a secret that was used before."
        case .policyMinimumAge: "The target's policy refuses a change so soon after the last."
        case .unsupported: "The target cannot do this, or would not keep it."
        case .forbidden: "The account must not be touched."
        case .brokenProtocol: "The target answered something that makes no sense."
        case .timedOut: "The target did not answer in time."
        case .cut: "The connection ended in the middle."
        case .secretRejected: "The target says that the secret is wrong."
        case .noProof: "The target lets in without the secret, or there is no way to ask."
        case .notChecked: "The task does not check the connection."
        case .doubt: "It is not known which secret is live."
        case .notApplied: "The change did not take: an older secret is live."
        case .replaced: "The account of that name is not the one that was to be removed: it was made anew, or changed."
        case .ownsObjects:
            "The target keeps the account, since objects belong to it or depend on it: a person must say what becomes of them."
        case .oldNotRetired: "The new secret is live; the old one could not be taken away and may be live too."
        case .noneOfOurs: "The target holds none of the secrets that the vault knows."
        case .noLoginLeft: "The rejected logins that the account may have in a day are used up."
        case .sameTarget: "Another account stands for the same user of the same system."
        case .paused: "The asset's endpoint was edited: somebody who may reveal its secrets must confirm it."
        case .forced: "Somebody forced another secret while the change was open."
        case .storage: "The vault could not store something."
        case .internal: "Something failed that nobody foresaw; the log says more."
        }
    }
}
