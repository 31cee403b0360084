package import Domain

/// Where a connector goes: an asset's endpoint, from a row that the vault has verified.
package struct Target: Sendable {
    package let asset: AssetID
    /// The platform's type, `linux`, `postgresql`, …
    package let type: String
    /// Host name or address, as the asset has it: also the name that a TLS certificate must carry.
    package let address: String
    package let port: Int
    /// The asset's own settings by field name: `db_name`, `use_ssl`, `pg_ssl_mode`, `ca_cert`, …
    package let specific: [String: String]
    package var hostKeys: HostKeyPin
    /// The SSH host through which the target is reached; nil for the direct way.
    package var gateway: Gateway?
    /// How long one remote step may take.
    package let stepLimit: Duration
    /// How long one connection may last from its first byte to its last, however many steps it has.
    package let conversationLimit: Duration
    /// Asked before a login with a secret that is wrong on purpose, by which a target is seen to refuse one: the target counts it as
    /// a failure of the account. Whoever limits those commits it first, and says no where there were too many.
    package var mayGuess: @Sendable () -> Bool
    /// Whether the target was seen to refuse a wrong secret of this very account not long ago: then none is tried again.
    package var wasSeenRefusing = false

    package init(
        asset: AssetID, type: String, address: String, port: Int, specific: [String: String] = [:],
        hostKeys: HostKeyPin = HostKeyPin(), gateway: Gateway? = nil, stepLimit: Duration = .seconds(30),
        conversationLimit: Duration = .seconds(300), mayGuess: @escaping @Sendable () -> Bool = { true }
    ) {
        self.asset = asset
        self.type = type
        self.address = address
        self.port = port
        self.specific = specific
        self.hostKeys = hostKeys
        self.gateway = gateway
        self.stepLimit = stepLimit
        self.conversationLimit = conversationLimit
        self.mayGuess = mayGuess
    }

    /// The same with what was pinned since the row was read.
    package func pinned(to fingerprint: String) -> Target {
        var target = self
        target.hostKeys.fingerprints = [fingerprint]
        return target
    }
}

/// Which SSH host keys of a host are trusted.
package struct HostKeyPin: Sendable, Hashable {
    package enum Policy: String, Sendable, CaseIterable {
        /// Only a key that is pinned.
        case strict
        /// A key that is pinned, or any if none is; whoever opens the session pins what it saw.
        case acceptNew = "accept-new"
    }

    package var policy: Policy
    /// SHA-256 of the pinned keys in OpenSSH's form, `SHA256:…`.
    package var fingerprints: [String]

    package init(policy: Policy = .acceptNew, fingerprints: [String] = []) {
        self.policy = policy
        self.fingerprints = fingerprints
    }

    /// Whether a host that shows this key may be talked to.
    package func accepts(_ fingerprint: String) -> Bool {
        fingerprints.isEmpty ? policy == .acceptNew : fingerprints.contains(fingerprint)
    }
}

/// The SSH host of an asset's zone through which its targets are reached.
package struct Gateway: Sendable {
    package let asset: AssetID
    package let address: String
    package let port: Int
    package let hostKeys: HostKeyPin
    package let credential: TargetLogin

    package init(asset: AssetID, address: String, port: Int, hostKeys: HostKeyPin, credential: TargetLogin) {
        self.asset = asset
        self.address = address
        self.port = port
        self.hostKeys = hostKeys
        self.credential = credential
    }
}

/// The account that does the work on a target, and how it gets the power to.
package struct Worker: Sendable {
    package enum Power: Sendable {
        /// It has it by itself: `root`, a database superuser.
        case own
        /// `sudo`, without a password or with the worker's own.
        case sudo
        /// `su` to root with root's password.
        case su(TargetLogin)
    }

    package let credential: TargetLogin
    package let power: Power

    package init(credential: TargetLogin, power: Power = .own) {
        self.credential = credential
        self.power = power
    }
}
