/// A target's own policy said no to a new secret.
package struct PolicyRefusal: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Too short, too simple, in a dictionary: another candidate may pass.
        case quality
        /// The secret was used before: another candidate may pass.
        case history
        /// Changed too short a time ago: no candidate passes before `until`.
        case minimumAge = "minimum_age"
    }

    package let kind: Kind
    /// When the target will take a change again, where it said so.
    package let until: Timestamp?
    /// The target's own words, without control characters and without any secret.
    package let words: String

    package init(kind: Kind, until: Timestamp? = nil, words: String) {
        self.kind = kind
        self.until = until
        self.words = words
    }
}
