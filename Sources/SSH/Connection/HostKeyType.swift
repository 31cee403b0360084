/// Kinds of host key, the preferred first. Hosts pick the first that they have.
enum HostKeyType: CaseIterable, Sendable {
    case ed25519, ecdsa, rsa

    /// The signature algorithms to be negotiated.
    var algorithms: String {
        switch self {
        case .ed25519: "ssh-ed25519"
        case .ecdsa: "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521"
        case .rsa: "rsa-sha2-512,rsa-sha2-256"
        }
    }
}
