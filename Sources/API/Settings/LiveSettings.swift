internal import Synchronization

/// The run-time settings that the hot path asks, as plain flags; the settings resource writes them after each change.
package final class LiveSettings: Sendable {
    private let hides = Atomic(false)
    private let notFound = Atomic(false)
    private let history = Atomic(999)

    package init() {}

    /// Whether secrets are shown to nobody (`SECURITY_DISABLE_VIEW_SECRET`).
    package var hidesSecrets: Bool {
        get { hides.load(ordering: .relaxed) }
        set { hides.store(newValue, ordering: .relaxed) }
    }

    /// Whether a fetch of what is not there is 404 rather than JumpServer's 400.
    package var answersNotFoundWith404: Bool {
        get { notFound.load(ordering: .relaxed) }
        set { notFound.store(newValue, ordering: .relaxed) }
    }

    /// How many of the newest versions of a secret are kept, with the current one; those in use stay anyway (`HISTORY_ACCOUNT_CLEAN_LIMIT`).
    package var historyLimit: Int {
        get { history.load(ordering: .relaxed) }
        set { history.store(newValue, ordering: .relaxed) }
    }
}
