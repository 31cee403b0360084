/// One thing that the doctor looked at.
package struct Finding: Sendable, Equatable {
    package enum State: String, Sendable {
        case fine
        /// Works, and should be changed.
        case warning
        case wrong
    }

    /// What was looked at, a stable name.
    package let subject: String
    package let state: State
    package let detail: String
    /// What to do; nil where there is nothing to do.
    package let remedy: String?

    static func fine(_ subject: String, _ detail: String) -> Finding {
        Finding(subject: subject, state: .fine, detail: detail, remedy: nil)
    }

    static func warning(_ subject: String, _ detail: String, remedy: String?) -> Finding {
        Finding(subject: subject, state: .warning, detail: detail, remedy: remedy)
    }

    static func wrong(_ subject: String, _ detail: String, remedy: String) -> Finding {
        Finding(subject: subject, state: .wrong, detail: detail, remedy: remedy)
    }
}
