internal import Domain
internal import SSH

/// The way to a database: straight, or by a tunnel through the gateway. It lasts for one connection, and must outlive it.
final class Way: Sendable {
    /// Where to connect if not to the target's address; the server is still to prove that it is the target.
    let reachedAt: String?
    let port: Int
    private let tunnel: SSHTunnel?

    init(to target: Target) throws(ConnectorFault) {
        guard let gateway = target.sshGateway else {
            reachedAt = nil
            port = target.port
            tunnel = nil
            return
        }
        do throws(SSHFault) {
            let tunnel = try SSHTunnel.open(
                to: target.address, port: target.port, via: gateway.endpoint, as: gateway.login, limits: target.sshLimits)
            reachedAt = "127.0.0.1"
            port = tunnel.localPort
            self.tunnel = tunnel
        } catch { throw ConnectorFault(error) }
    }

    func end() { tunnel?.close() }
}
