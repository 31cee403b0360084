package import Domain

/// Where a request came from, as every decision about it records.
package struct RequestOrigin: Sendable {
    package let request: RequestID
    /// Address of the client after trusted proxies were taken off; nil on the local socket, or where it could not be told.
    package let address: IPAddress?
    package let received: Timestamp
    /// The same moment on the steady clock, for how long a decision took.
    package let stopwatch: Stopwatch

    package init(request: RequestID, address: IPAddress?, received: Timestamp, stopwatch: Stopwatch = .started) {
        self.request = request
        self.address = address
        self.received = received
        self.stopwatch = stopwatch
    }

    /// For work that the server does by itself.
    package static func `internal`(now: Timestamp) -> RequestOrigin {
        RequestOrigin(request: .random(), address: nil, received: now)
    }

    package var addressText: String { address?.description ?? "" }
}
