internal import Domain
internal import SSH
internal import Streams

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

    /// Where it leads, and how the server proves who it is: by TLS where the asset's `use_ssl` asks for it, with a certificate issued by its
    /// `ca_cert` or an authority of the system; `allow_invalid_cert` takes any.
    func endpoint(of target: Target) -> TransportEndpoint {
        let trust: TransportTrust =
            !target.isOn("use_ssl")
            ? .clear : target.isOn("allow_invalid_cert") ? .anyCertificate : .verified(authorities: target.setting("ca_cert"))
        return TransportEndpoint(name: target.address, reachedAt: reachedAt, port: port, trust: trust)
    }

    func end() { tunnel?.close() }
}
