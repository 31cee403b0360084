/// Leave for logins with a credential, which connectors make as often as they need: right before the secret goes out each is asked for, and
/// right after the answer its end is told.
///
/// Both are called on a connector's thread and may block. What is between them should be as short as can be: others with the same
/// credential may be waiting for it.
package struct Admission: Sendable {
    package enum Answer: Sendable, Hashable {
        case granted
        /// The logins of a day that may be rejected are used up.
        case spent(words: String)
        /// None can be made now, and another time one may.
        case notNow(words: String)
    }

    /// How a login ended.
    package enum End: Sendable, Hashable {
        case accepted, rejected, lockedOut
        /// It ended without an answer.
        case unclear
        /// It never came to the door.
        case notMade
    }

    /// Asked before each login; what has to be remembered of it is durable when it returns.
    package let begin: @Sendable () -> Answer
    package let end: @Sendable (End) -> Void

    package init(begin: @escaping @Sendable () -> Answer, end: @escaping @Sendable (End) -> Void) {
        self.begin = begin
        self.end = end
    }

    /// For credentials of which somebody else counts each login, or which nobody else has.
    package static let always = Admission(begin: { .granted }, end: { _ in })
}

extension Admission {
    /// Asks for a login; throws where none may be made.
    func enter() throws(ConnectorFault) {
        switch begin() {
        case .granted: break
        case .spent(let words): throw ConnectorFault(.loginsSpent, effect: .none, words: words)
        case .notNow(let words): throw ConnectorFault(.unreachable, effect: .none, words: words)
        }
    }

    /// A login over something else than SSH.
    package func around<Output, Failure: Error>(
        _ told: (Failure) -> ConnectorFault, _ login: () throws(Failure) -> Output
    ) throws(ConnectorFault) -> Output {
        try enter()
        do throws(Failure) {
            let output = try login()
            end(.accepted)
            return output
        } catch {
            let fault = told(error)
            end(End(fault.kind))
            throw fault
        }
    }
}

extension Admission.End {
    /// What a fault of a login says of how it ended.
    init(_ kind: ConnectorFault.Kind) {
        switch kind {
        case .unreachable, .hostKeyChanged, .noSafeChannel, .unsupported, .gatewayLoginsSpent, .loginsSpent: self = .notMade
        case .loginRejected: self = .rejected
        case .lockedOut: self = .lockedOut
        // It was let in, and something later was refused.
        case .notPermitted, .noSuchAccount, .accountExists, .forbidden, .replaced, .ownsObjects, .refusedByPolicy:
            self = .accepted
        case .brokenProtocol, .timedOut, .cut: self = .unclear
        }
    }
}
