/// Where a server is and what it must prove before anything is told to it.
package struct PostgresEndpoint: Sendable, Hashable {
    /// The server's name or address: what its certificate must carry.
    package let name: String
    /// The numeric address to connect to where it is another than the name's: the near end of a tunnel.
    package let reachedAt: String?
    package let port: Int
    package let database: String
    package let channel: PostgresChannel

    package init(name: String, reachedAt: String? = nil, port: Int, database: String, channel: PostgresChannel) {
        self.name = name
        self.reachedAt = reachedAt
        self.port = port
        self.database = database
        self.channel = channel
    }
}

/// How a connection is protected, and thereby which ways to prove a password are safe on it.
package enum PostgresChannel: Sendable, Hashable {
    /// TLS, the certificate issued by one of the authorities (PEM; nil for the system's) and carrying the server's name.
    /// Every method may be used, as nobody else can listen.
    case verified(authorities: String?)
    /// TLS, the certificate issued by one of the authorities, whatever name it carries.
    case verifiedAuthority(authorities: String)
    /// TLS with any certificate. The password is proved by SCRAM bound to this very channel (RFC 5802, RFC 5929), or not at all.
    case bound
    /// No TLS. The password is proved by SCRAM, which does not show it, or not at all. What is asked and answered can be read.
    case clear

    /// Whether the server has shown who it is before it is told anything.
    package var provesServer: Bool {
        switch self {
        case .verified, .verifiedAuthority: true
        case .bound, .clear: false
        }
    }
}

/// Which answer to a request for the password is given.
package enum PostgresProof: Sendable, Hashable {
    /// Any that the channel makes safe.
    case any
    /// Only SCRAM bound to the channel, after which the server has shown that it knows the password's verifier.
    case channelBound
}
