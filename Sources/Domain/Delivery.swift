/// One message on its way to one recipient through one channel. It never carries a secret.
package struct Delivery: Sendable, Hashable {
    package typealias ID = Identifier<Delivery>

    /// What became of it so far.
    package enum State: String, Sendable, CaseIterable {
        case waiting
        case sent
        /// Nobody tries any more: refused for good, or for too long.
        case abandoned
    }

    package let id: ID
    package let organization: OrganizationID
    /// The channel's name: `email`, `webhook`.
    package let channel: String
    /// An address within the channel; empty where the channel knows its only one.
    package let recipient: String
    /// What happened, `noun.verb` in the past: `execution.finished`, `change.uncertain`.
    package let event: String
    package let subject: String
    /// Plain text for people.
    package let text: String
    /// The same for programs: one JSON object.
    package let payload: String
    package let dateCreated: Timestamp
    package var dateDue: Timestamp
    package var attempts: Int64
    package var state: State
    /// What the last attempt said; empty before the first and after success.
    package var fault: String

    package init(
        id: ID = .random(), organization: OrganizationID, channel: String, recipient: String, event: String, subject: String,
        text: String, payload: String, dateCreated: Timestamp, dateDue: Timestamp? = nil, attempts: Int64 = 0,
        state: State = .waiting, fault: String = ""
    ) {
        self.id = id
        self.organization = organization
        self.channel = channel
        self.recipient = recipient
        self.event = event
        self.subject = subject
        self.text = text
        self.payload = payload
        self.dateCreated = dateCreated
        self.dateDue = dateDue ?? dateCreated
        self.attempts = attempts
        self.state = state
        self.fault = fault
    }
}

extension Delivery {
    /// What is said to whom, for the row's authentication code; how often it was tried decides nothing.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(channel)
        canonical.append(recipient)
        canonical.append(event)
        canonical.append(subject)
        canonical.append(text)
        canonical.append(payload)
        canonical.append(dateCreated.milliseconds)
    }
}
