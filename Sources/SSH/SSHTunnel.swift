internal import Glibc
internal import Synchronization
package import Threads

/// A port of this machine that leads through a gateway to one far port, for client libraries that open their connection themselves.
///
/// It takes one connection, and only from this process; every other is closed at once. The far host is connected to beforehand, so
/// that a far port nobody listens on is a fault of `open`.
package final class SSHTunnel: Sendable {
    /// On 127.0.0.1.
    package let localPort: Int
    /// Of the gateway.
    package let hostKey: String
    private let listener: Descriptor
    private let far: Descriptor
    private let carrier: any Transport

    private init(listener: Descriptor, port: Int, far: Descriptor, carrier: any Transport) {
        self.listener = listener
        self.far = far
        self.carrier = carrier
        localPort = port
        hostKey = carrier.hostKey
    }

    deinit { close() }

    /// - Parameters:
    ///   - host: as the gateway knows it.
    ///   - endpoint: the gateway.
    package static func open(
        to host: String, port: Int, via endpoint: SSHEndpoint, as login: SSHLogin, limits: SSHLimits = SSHLimits(),
        interruption: Interruption? = nil
    ) throws(SSHFault) -> SSHTunnel {
        let route = Route(
            gateway: (endpoint, login), limits: limits, conversation: Conversation(limits.conversation),
            interruption: interruption)
        let road = try route.throughGateway(to: host, port: port)
        guard let carrier = road.carrier else { throw SSHFault(.localFailure, words: "no gateway") }
        do throws(SSHFault) {
            let (listener, localPort) = try LoopbackListener.open()
            let far = road.descriptor
            far.makeNonBlocking()
            let relay = LoopbackRelay(listener: listener, far: far)
            guard startThread(stackSize: 256 * 1024, { relay.run() }) else {
                throw SSHFault(.localFailure, words: "no thread for a tunnel")
            }
            return SSHTunnel(listener: listener, port: localPort, far: far, carrier: carrier)
        } catch {
            road.end()
            throw error
        }
    }

    /// Ends the connection through the tunnel, if there is one.
    package func close() {
        listener.shutDown()
        far.shutDown()
        carrier.interrupt()
        carrier.close()
    }
}
