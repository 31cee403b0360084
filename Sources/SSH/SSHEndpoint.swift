/// An SSH server and which of its keys are trusted.
package struct SSHEndpoint: Sendable, Hashable {
    /// A name or an address.
    package let host: String
    package let port: Int
    /// SHA-256 of trusted host keys in OpenSSH's form, `SHA256:…`. Where there are some, only they are trusted.
    package let pinned: [String]
    /// Whether any key will do where none is pinned.
    package let acceptNew: Bool

    package init(host: String, port: Int = 22, pinned: [String] = [], acceptNew: Bool = true) {
        self.host = host
        self.port = port
        self.pinned = pinned
        self.acceptNew = acceptNew
    }

    /// Nil if a host with this key may be talked to, else why not.
    func objection(to fingerprint: String) -> SSHFault.Kind? {
        if pinned.contains(fingerprint) { return nil }
        if pinned.isEmpty { return acceptNew ? nil : .hostKeyUnknown(seen: fingerprint) }
        return .hostKeyChanged(seen: fingerprint)
    }
}

/// How long the steps of a connection may take. Whatever a server does, none takes longer.
package struct SSHLimits: Sendable, Hashable {
    /// Name and TCP connection.
    package var connecting: Duration
    /// Key exchange, host key and login together, of each host on the way.
    package var login: Duration
    /// Everything from the first byte to the last, of every host on the way together.
    package var conversation: Duration

    package init(
        connecting: Duration = .seconds(10), login: Duration = .seconds(30), conversation: Duration = .seconds(300)
    ) {
        self.connecting = connecting
        self.login = login
        self.conversation = conversation
    }
}
