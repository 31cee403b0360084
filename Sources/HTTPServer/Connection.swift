import CHTTPShim
import Glibc

/// One accepted socket, with the deadline of whatever it is doing.
final class Connection {
    enum Phase: Equatable {
        /// No request line yet: handshake and the first headers.
        case fresh
        case headers
        case body
        /// With the handler; the exchange has the deadline.
        case handling
        case sending
        case idle
    }

    let peer: PeerAddress
    let socket: Int32
    /// Nil on a plain connection.
    var wire: OpaquePointer?
    var exchange: Exchange?
    /// An exchange that libmicrohttpd is done with while its answer is still withheld.
    var withheld: Exchange?
    /// Whose answer with a secret another thread sent last.
    var lastSecret: RequestID?
    /// Whose answers with secrets are made, while the socket has not taken all yet of what was to be sent.
    var unsentSecrets: [RequestID] = []
    /// How often the wire had nothing left, when that was looked at last.
    var emptied: UInt32 = 0
    /// Whether it ends with an answer before the request was read to its end: the client may still be sending.
    var endsEarly = false
    /// A request that came before the answer to the one before it has left.
    var following: Exchange?
    /// The place in the loop's list.
    var place = 0
    private(set) var phase = Phase.fresh
    private(set) var deadline: MonotonicTime
    /// Whether a streamed answer waits for its producer.
    var isStarved = false
    /// Whether the client was seen to have finished sending.
    var peerFinished = false
    private(set) var isCut = false
    let accepted: MonotonicTime

    init(peer: PeerAddress, socket: Int32, wire: OpaquePointer?, now: MonotonicTime, deadline: MonotonicTime) {
        self.peer = peer
        self.socket = socket
        self.wire = wire
        self.deadline = deadline
        accepted = now
    }

    func enter(_ phase: Phase, until deadline: MonotonicTime) {
        self.phase = phase
        self.deadline = deadline
    }

    /// Ends the connection: libmicrohttpd finds both directions shut and closes it on the next pass.
    func cut() {
        guard !isCut else { return }
        isCut = true
        shutdown(socket, Int32(SHUT_RDWR))
    }
}
