/// Where a server is, and whether and how it proves who it is.
package struct TransportEndpoint: Sendable, Hashable {
    /// The server's name or address: what its certificate must carry.
    package let name: String
    /// Where to connect if not to the name: the near end of a tunnel.
    package let reachedAt: String?
    package let port: Int
    package let trust: TransportTrust

    package init(name: String, reachedAt: String? = nil, port: Int, trust: TransportTrust) {
        self.name = name
        self.reachedAt = reachedAt
        self.port = port
        self.trust = trust
    }
}

package enum TransportTrust: Sendable, Hashable {
    /// No TLS.
    case clear
    /// TLS with any certificate: nobody who only listens can read, and whoever stands between can.
    case anyCertificate
    /// TLS, the certificate issued by one of the authorities (PEM; nil for the system's) and carrying the server's name.
    case verified(authorities: String?)

    package var isEncrypted: Bool { self != .clear }

    /// Whether the server has shown who it is before it is told anything.
    package var provesServer: Bool {
        if case .verified = self { true } else { false }
    }
}
