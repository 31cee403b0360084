package import Domain

/// Why a remote step did not end as asked.
package struct ConnectorFault: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// No connection: name, route, refused, gateway down.
        case unreachable
        /// The host showed another key than the pinned one.
        case hostKeyChanged(seen: String)
        /// No way was found by which the secret could travel unseen (no TLS, unproven certificate, method in clear).
        case noSafeChannel
        /// The login was refused as wrong.
        case loginRejected
        /// The login was refused for another reason than a wrong secret: locked, expired, too many failures, not allowed from here.
        case lockedOut
        /// The account may log in but lacks the right to do this (no sudo, no grant).
        case notPermitted
        /// The account to work on is not there.
        case noSuchAccount
        /// The account to create is there already.
        case accountExists
        /// The target's policy refused the new secret.
        case refusedByPolicy(PolicyRefusal)
        /// The target cannot do this, or would not keep it (a Redis without a place to save its users).
        case unsupported
        /// The account is one that must not be touched (system account, the worker itself).
        case forbidden
        /// The account of that name is another one than was marked to be removed.
        case replaced
        /// The target keeps the account, since something belongs to it or depends on it.
        case ownsObjects
        /// No login at the gateway may be made now, for the limit of rejected ones.
        case gatewayLoginsSpent
        /// No login with the credential may be made now, for the limit of rejected ones.
        case loginsSpent
        /// It answered something that makes no sense, or far too much.
        case brokenProtocol
        /// It did not answer in time.
        case timedOut
        /// The connection ended in the middle.
        case cut
    }

    /// What is known about the target after the fault.
    package enum Effect: String, Sendable, Hashable {
        /// Nothing was sent that could change it.
        case none
        /// A change may have happened, or may still happen.
        case unknown
    }

    package let kind: Kind
    package let effect: Effect
    /// What the target or the library said, without control characters, at most 500 characters, and without any secret.
    package let words: String

    package init(_ kind: Kind, effect: Effect, words: String = "") {
        self.kind = kind
        self.effect = effect
        self.words = words
    }
}
