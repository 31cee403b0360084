package import Domain
internal import Storage

/// Which entries a list shows; newest first unless it says otherwise. Absent conditions hold for every entry, several must hold together.
package struct AuditQuery: Sendable {
    /// Entries of one organization; nil for those of all and of none.
    package var organization: OrganizationID?
    package var actions: [AuditAction] = []
    package var outcomes: [AuditOutcome] = []
    /// Kinds as in `Actor.kind`.
    package var actorKinds: [String] = []
    /// A user's or an application's id.
    package var actorID: Identifier<Actor>?
    package var request: RequestID?
    /// Inclusive on both sides.
    package var from: Timestamp?
    package var to: Timestamp?
    /// Texts to be found in parts of the entry, without regard to the case of ASCII letters.
    package var texts: [TextCondition] = []
    package var isOldestFirst = false
    package var offset = 0
    package var limit = 100
    /// How many entries are looked at before the list gives up; the newest are looked at first, of a longer chain those that the dates allow.
    package var scanLimit: Int64 = 1_000_000
    /// By how much, in seconds, a clock that was set back may have disordered the times of entries.
    package var clockSlack: Int64 = 3_600

    package init() {}

    /// A text that a part of the entry contains.
    package struct TextCondition: Sendable {
        package enum Part: Sendable, Equatable {
            case address, reason, actorName
            /// The id or name of an object of this kind.
            case object(kind: String)
            /// Any of these.
            case anywhere
        }

        package let part: Part
        package let text: String
        /// Whether the part must be just the text rather than contain it.
        package let isExact: Bool

        package init(_ part: Part, contains text: String) {
            (self.part, self.text, isExact) = (part, text, false)
        }

        package init(_ part: Part, is text: String) {
            (self.part, self.text, isExact) = (part, text, true)
        }
    }
}

/// An entry with its place in the chain.
package struct AuditRecord: Sendable, Equatable {
    package let seq: Int64
    package let hash: [UInt8]
    package let entry: AuditEntry
}

/// A page of a list.
package struct AuditPage: Sendable, Equatable {
    package var records: [AuditRecord] = []
    /// How many entries match, of those that were looked at.
    package var total = 0
    /// Whether every entry that the dates allow was looked at; if not, older ones may match too.
    package var isComplete = true
}

extension AuditQuery {
    var rowFilter: AuditRowFilter {
        var filter = AuditRowFilter()
        filter.organization = organization
        filter.actions = actions.map(\.rawValue)
        filter.outcomes = outcomes.map(\.rawValue)
        filter.actorKinds = actorKinds
        filter.actorID = actorID
        filter.from = from
        filter.to = to
        filter.isOldestFirst = isOldestFirst
        return filter
    }
}
