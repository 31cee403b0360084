internal import Streams

extension ConnectorFault.Kind {
    /// A fault of a client that speaks a database's protocol itself; what a refusal means is the platform's to say.
    init(_ fault: ServerFault<some Sendable & Hashable>) {
        self =
            switch fault.kind {
            case .badInput, .unsupported, .refused: .unsupported
            case .unreachable: .unreachable
            case .noSafeChannel: .noSafeChannel
            case .brokenProtocol: .brokenProtocol
            case .timedOut: .timedOut
            case .cut: .cut
            }
    }
}
