/// How the work on one account ended: what a record of a task says.
package struct RecordOutcome: Sendable, Hashable {
    package enum Status: String, Sendable, CaseIterable {
        /// The secret is live and was proved to be.
        case success
        /// Nothing was changed, or what was before is live again.
        case failed
        /// It is not known which of several kept secrets is live; that is being found out.
        case uncertain
        /// Changed as far as the target says, but nothing proves it: neither success nor failure.
        case unverifiable
        /// Nothing was tried.
        case skipped
        /// The target's own policy says no, in its own words, perhaps until a date.
        case refused
    }

    package let status: Status
    package let reason: TurnReason
    /// The target's or our words, without any secret.
    package let words: String
    /// When it may be tried again, where that is known.
    package let until: Timestamp?

    package init(_ status: Status, _ reason: TurnReason, words: String = "", until: Timestamp? = nil) {
        self.status = status
        self.reason = reason
        self.words = words
        self.until = until
    }
}

/// Why work on an account ended or hangs as it does: stable codes for records, metrics and the console.
package enum TurnReason: String, Sendable, CaseIterable {
    case proven
    /// The task says that the connection is not checked after the change.
    case notChecked = "not_checked"
    /// The target gives no proof: it lets in anybody, or there is no way to ask.
    case noProof = "no_proof"
    /// The new secret is proved; the old one could not be taken away and may be live too.
    case oldNotRetired = "old_not_retired"
    /// There was nothing to do.
    case unchanged

    // What the target or the way to it did.
    case unreachable, unsupported, forbidden, cut
    case hostKeyChanged = "host_key_changed"
    case noSafeChannel = "no_safe_channel"
    case workerRejected = "worker_rejected"
    case workerLockedOut = "worker_locked_out"
    case notPermitted = "not_permitted"
    case noSuchAccount = "no_such_account"
    case brokenProtocol = "broken_protocol"
    case timedOut = "timed_out"
    /// The host or user that answered is not the one that was meant.
    case wrongTarget = "wrong_target"
    /// The account of that name is not the one that was to be removed: it was made anew, or changed.
    case replaced
    /// Something on the target belongs to the account or depends on it, so the target does not let it go.
    case ownsObjects = "owns_objects"
    case quality = "policy_quality"
    case history = "policy_history"
    case minimumAge = "policy_minimum_age"
    /// The change did not take: an older secret is live.
    case notApplied = "not_applied"
    case rejected
    case lockedOut = "locked_out"
    /// The target holds none of the secrets that Keyturn knows.
    case noneOfOurs = "none_of_ours"

    // What stands against it here.
    /// The process ended in the middle.
    case interrupted
    /// The outcome could not be stored.
    case notStored = "not_stored"
    case noLoginLeft = "no_login_left"
    case changeOpen = "change_open"
    /// Another account stands for the same user of the same system.
    case sameTarget = "same_target"
    /// Address, port, gateway or platform of the asset were edited and nobody has confirmed them.
    case paused
    case inactive
    /// The account says that tasks do not change it.
    case excluded
    case secureMode = "secure_mode"
    case systemAccount = "system_account"
    case noWorker = "no_worker"
    /// The asset's zone has no gateway that may be used; there is no other way.
    case noGateway = "no_gateway"
    case noSecret = "no_secret"
    case noConnector = "no_connector"
    case secretType = "secret_type"
    case cancelled
    /// Somebody forced another secret while the change was open.
    case forced
    case notFound = "not_found"
}
