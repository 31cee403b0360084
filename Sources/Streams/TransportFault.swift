/// Why bytes did not travel.
package struct TransportFault: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// The name, the port or the authorities are none.
        case badInput
        /// No connection was made.
        case unreachable
        /// TLS did not come about, or the certificate does not prove who the server is.
        case noSafeChannel
        case timedOut
        /// The connection ended in the middle.
        case cut
    }

    package let kind: Kind
    package let words: String

    package init(_ kind: Kind, _ words: String = "") {
        self.kind = kind
        self.words = words
    }
}
