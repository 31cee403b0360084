/// Why something over SSH did not end as asked.
package struct SSHFault: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// No connection: name, route, refused; a gateway that would not connect on.
        case unreachable
        /// The host has another key than the pinned ones.
        case hostKeyChanged(seen: String)
        /// No key is pinned, and new ones are not accepted.
        case hostKeyUnknown(seen: String)
        /// The secret was refused as wrong.
        case rejected
        /// The secret was accepted, and the server wants more: the methods it names.
        case moreNeeded(methods: [String])
        /// The server ended the connection because of too many failures, or the password has run out: says nothing about the secret.
        case lockedOut
        /// The host lets the connection carry no further command, or none at all (`MaxSessions` of sshd_config(5)).
        case sessionRefused
        /// Host and we have no key exchange, cipher or login method in common.
        case noCommonMethod
        case timedOut
        /// The connection ended in the middle.
        case cut
        case tooMuchOutput
        /// Not SSH, or not as it should be.
        case protocolError
        /// It failed here: memory, descriptors, a private key that cannot be read, no `ssh` program.
        case localFailure
        /// Whoever counts logins lets none be made now.
        case notAdmitted
        /// Somebody here lost interest.
        case interrupted
    }

    /// On which host of the way.
    package enum Place: String, Sendable, Hashable { case target, gateway }

    package let kind: Kind
    package let place: Place
    /// Whether the command's first byte left, so that it may have been carried out.
    package let sent: Bool
    /// What the host or the library said: at most 500 characters, none of them for control, no secret.
    package let words: String

    package init(_ kind: Kind, at place: Place = .target, sent: Bool = false, words: String = "") {
        self.kind = kind
        self.place = place
        self.sent = sent
        self.words = PrintableWords.of(words)
    }

    /// The same, after the command was sent.
    func afterSending() -> SSHFault { SSHFault(kind, at: place, sent: true, words: words) }

    func atGateway() -> SSHFault { SSHFault(kind, at: .gateway, sent: sent, words: words) }
}

/// Words from outside, made fit for a log and a screen.
enum PrintableWords {
    static let limit = 500

    static func of(_ text: String) -> String {
        var words = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(limit * 2) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                if let last = words.last, last != " " { words.append(" ") }
            default: words.append(scalar)
            }
        }
        let kept = words.prefix(limit)
        return String(String.UnicodeScalarView(kept.last == " " ? kept.dropLast() : kept))
    }

    static func of(_ bytes: some Collection<UInt8>) -> String { of(String(decoding: bytes.prefix(limit * 4), as: UTF8.self)) }
}
