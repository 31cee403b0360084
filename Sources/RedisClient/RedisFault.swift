internal import Streams

/// Why a server of Redis did not do what was asked.
package struct RedisFault: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// A value cannot be put to a server at all.
        case badInput
        case unreachable
        /// There is no TLS, or the certificate does not prove who the server is.
        case noSafeChannel
        /// It refused a command; the first word of its answer, such as `WRONGPASS`.
        case refused(code: String)
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

    package var code: String? {
        if case .refused(let code) = kind { code } else { nil }
    }
}
