import Glibc

/// What a listener needs to know; every limit has a default that is safe on the open network.
package struct ListenerConfiguration: Sendable {
    /// An IPv4 or IPv6 address; `::` takes both families.
    package var host: String
    /// 0: any free port.
    package var port: UInt16
    /// Nil: plain HTTP.
    package var tls: TLSFiles?
    /// Loop threads, each with a daemon of its own.
    package var loops: Int = Self.defaultLoops
    package var waiting = Waiting.automatic
    /// Whether the layout of each request head is checked; nil: if the library lays it out as expected, which is tried at start.
    var screensHeads: Bool?
    package var limits = Limits()

    package init(host: String = "127.0.0.1", port: UInt16 = 0, tls: TLSFiles? = nil) {
        self.host = host
        self.port = port
        self.tls = tls
    }

    /// One core is left to the audit's committer (measured better than a loop on every core).
    package static var defaultLoops: Int {
        max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)) - 1)
    }

    /// Where certificate chain and private key stand, both PEM.
    package struct TLSFiles: Sendable {
        package var certificate: String
        package var key: String

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// How a connection waits for its answer.
    package enum Waiting: Sendable {
        /// `held` when the self-test passes, else `suspended`.
        case automatic
        /// libmicrohttpd asks again on every pass; faster, but not documented.
        case held
        /// The documented way: the connection is taken out of the loop and put back.
        case suspended
    }

    package struct Limits: Sendable {
        package var connections = 10_000
        package var connectionsPerAddress = 1_024
        /// Addresses that the limit per address does not count for: trusted proxies.
        package var isExempt: @Sendable (PeerAddress) -> Bool = { _ in false }
        /// Bytes of one connection's memory for request line and headers; beyond it the answer is 431.
        package var headerBytes = 8 * 1024
        /// Bytes of a body that is read only to be thrown away, so that a refusal leaves the connection usable.
        package var drainedBytes = 1024 * 1024
        /// Bytes that all bodies together may take.
        package var bodyBytesInAll = 256 * 1024 * 1024
        /// The share of one address in that; an IPv6 address is its 64-bit prefix. The exempt ones have no share of their own.
        package var bodyBytesPerAddress = 64 * 1024 * 1024
        /// From the connection, or from the request line, to the end of the headers.
        package var headerDeadline: Duration = .seconds(10)
        /// From the end of the headers to the end of the body.
        package var bodyDeadline: Duration = .seconds(30)
        /// From the whole request to its answer; then 503.
        package var requestDeadline: Duration = .seconds(30)
        /// From the answer until the client has taken it; a stream has so long for each step.
        package var sendDeadline: Duration = .seconds(30)
        /// From an answer to the next whole request line on the same connection.
        package var idleDeadline: Duration = .seconds(75)
        /// How long a client that was refused early may go on sending, unread, so that it comes to read the answer.
        package var lingerDeadline: Duration = .seconds(2)
        /// Bytes that it may send meanwhile.
        package var lingerBytes = 8 * 1024 * 1024

        package init() {}
    }
}
