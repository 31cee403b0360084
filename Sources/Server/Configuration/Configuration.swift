package import Domain
internal import Glibc

/// Everything that an operator can set; every value has a default, so that no file is needed.
///
/// What each key means stands in `config/keyturn.yaml`. No secret is ever a part of it.
package struct Configuration: Sendable, Equatable {
    /// Where applications and administrators connect, over TLS.
    package var listen = ListenAddress(host: "127.0.0.1", port: 8443)
    /// Where health and metrics are open to everybody; nil for nowhere.
    package var plainListen: ListenAddress?
    package var dataDirectory = "/var/lib/keyturn"
    /// Where the key file lies; nil for the default, see `keys`.
    package var keyDirectory: String?
    package var tls = TLS()
    package var trustedProxies: [Network] = []
    /// Event loops; 0 for one less than there are processors.
    package var loops = 0
    /// Bytes on the disk that are kept back for what must still be written when it is full.
    package var diskReserve: Int64 = 16 << 20
    /// Whether all memory is locked, so that nothing of it can be swapped.
    package var locksMemory = false
    package var limits = Limits()
    package var signature = Signature()
    package var rate = Rate()
    package var audit = Audit()
    package var automation = Automation()
    package var notifications = Notifications()
    package var log = Log()

    package init() {}

    /// PEM files; nil for the development certificate that `init` made.
    package struct TLS: Sendable, Equatable {
        package var certificate: String?
        package var key: String?
    }

    package struct Limits: Sendable, Equatable {
        package var connections = 16_384
        package var connectionsPerAddress = 1_024
        package var headerBytes = 8 * 1024
        package var applicationBodyBytes = 64 * 1024
        package var adminBodyBytes = 4 * 1024 * 1024
        /// What all bodies that are being received take together, and those from one address.
        package var bodyBytesInAll = 256 * 1024 * 1024
        package var bodyBytesPerAddress = 64 * 1024 * 1024
        package var jsonDepth = 16
        package var headerTimeout: Duration = .seconds(10)
        package var bodyTimeout: Duration = .seconds(60)
        package var idleTimeout: Duration = .seconds(75)
        package var requestTimeout: Duration = .seconds(30)
        package var sendTimeout: Duration = .seconds(30)
    }

    package struct Signature: Sendable, Equatable {
        package var window: Duration = .seconds(60)
        package var acceptsBeforeStart = false
        package var replayEntriesPerCredential = 1_000_000
    }

    package struct Rate: Sendable, Equatable {
        /// Fetches of one application in a minute; 0 for no limit.
        package var fetchesPerMinute = 4_096
        package var badSignaturesPerMinute = 60
        package var loginFailures = 5
        package var lockOut: Duration = .seconds(15 * 60)
    }

    package struct Audit: Sendable, Equatable {
        /// Nil for the default, see `checkpoints`.
        package var checkpointFile: String?
        package var refusalsPerMinute = 600
    }

    package struct Log: Sendable, Equatable {
        package var level = LogLevel.info
        package var format = LogFormat.text
    }
}

// MARK: - Where things lie

extension Configuration {
    /// The directory of the key file: the one that is set, or systemd's credentials, or beside the data directory; never inside it.
    package var keys: String { keyDirectory ?? Self.credentialsDirectory ?? dataDirectory + "-keys" }

    private static var credentialsDirectory: String? {
        guard let value = getenv("CREDENTIALS_DIRECTORY"), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
