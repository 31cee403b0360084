internal import Streams

/// Why a server of MariaDB or MySQL did not do what was asked.
package struct MariaDBFault: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// A name or a value cannot be put to a server at all.
        case badInput
        case unreachable
        /// The server has no TLS, or its certificate does not prove who it is, or it asks for the password in a way that would show it.
        case noSafeChannel
        /// It asks for a proof that is not known here.
        case unsupported
        /// It refused the login or a statement, with this number.
        case refused(code: Int)
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

    init(_ fault: TransportFault) {
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

    /// The server's error number, where it refused.
    package var code: Int? {
        if case .refused(let code) = kind { code } else { nil }
    }
}
