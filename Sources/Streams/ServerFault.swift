/// Why a server that is talked to over a `TransportStream` did not do what was asked.
///
/// `Code` is what its protocol calls a refusal by: a number, a word.
package struct ServerFault<Code: Sendable & Hashable>: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// A name or a value cannot be put to a server at all.
        case badInput
        case unreachable
        /// There is no TLS, or the certificate does not prove who the server is, or it asks for the password in a way that would show it.
        case noSafeChannel
        /// It asks for a proof that is not known here.
        case unsupported
        /// It refused the login or what was asked of it.
        case refused(code: Code)
        /// What it said makes no sense, or is far too much.
        case brokenProtocol
        case timedOut
        case cut
    }

    package let kind: Kind
    /// The server's words, as they came: they may echo anything that was sent.
    package let words: String

    package init(_ kind: Kind, _ words: String = "") {
        self.kind = kind
        self.words = words
    }

    package init(_ fault: TransportFault) {
        let kind: Kind =
            switch fault.kind {
            case .badInput: .badInput
            case .unreachable: .unreachable
            case .noSafeChannel: .noSafeChannel
            case .timedOut: .timedOut
            case .cut: .cut
            }
        self.init(kind, fault.words)
    }

    /// What the server called its refusal, where it refused.
    package var code: Code? {
        if case .refused(let code) = kind { code } else { nil }
    }
}
