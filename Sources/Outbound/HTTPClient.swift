internal import Synchronization
internal import Threads

/// Sends HTTP requests over TLS and collects the answers; keeps its connections open for the next one.
///
/// Certificates are always verified, redirects are answers like any other, there are no cookies, and proxies of the environment
/// are ignored unless asked for. Transfers block threads of their own, never the cooperative pool.
package final class HTTPClient: Sendable {
    package struct Configuration: Sendable {
        /// A file of PEM certificates to trust instead of the system's.
        package var certificateAuthority: String?
        /// How long a connection may take to be made, TLS included.
        package var connectDeadline: Duration = .seconds(10)
        /// How long a whole exchange may take.
        package var deadline: Duration = .seconds(30)
        /// The longest body that is accepted, in bytes.
        package var responseLimit = 8 << 20
        /// Plain `http` URLs are refused unless set.
        package var allowsPlainHTTP = false
        package var usesProxyOfEnvironment = false
        /// The local address to connect from, such as `127.0.0.2`.
        package var localAddress: String?
        /// How many requests may be under way at once; others wait.
        package var connections = 4

        package init() {}
    }

    private let configuration: Configuration
    /// Each with a handle of libcurl of its own.
    private let threads: BlockingThreads<EasyHandle>

    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        threads = BlockingThreads(limit: configuration.connections) { EasyHandle() }
    }

    deinit { threads.close() }

    /// Sends the request and waits for the whole answer. Cancelling the task ends the transfer within about a second.
    package func send(_ request: HTTPRequest) async throws(OutboundFault) -> HTTPResponse {
        try request.validate()
        let cancellation = Cancellation()
        let configuration = configuration
        let outcome: Result<HTTPResponse, OutboundFault> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isAccepted = threads.submit { handle in
                    let transfer = HTTPTransfer(request, configuration, cancellation)
                    continuation.resume(returning: transfer.perform(on: handle))
                }
                if !isAccepted { continuation.resume(returning: .failure(.unavailable("no thread could be started"))) }
            }
        } onCancel: {
            cancellation.request()
        }
        return try outcome.get()
    }
}

/// Says across threads that nobody waits any more.
final class Cancellation: Sendable {
    private let flag = Atomic(false)

    func request() { flag.store(true, ordering: .relaxed) }
    var isRequested: Bool { flag.load(ordering: .relaxed) }
}
