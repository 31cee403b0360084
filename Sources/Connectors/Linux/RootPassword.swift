internal import SSH
internal import Synchronization

/// A password by which a session becomes root again and again: of the worker for `sudo`, of root for `su`.
///
/// Each time it is sent is a login, asked for before and told of after. Once it was refused this session sends it no more: what it is wrong
/// for now it will be wrong for the next time.
final class RootPassword: Sendable {
    let secret: SSHSecret
    /// Whose it is, as the host names them.
    let owner: String
    private let admission: Admission
    private let isRefused = Mutex(false)

    init(_ login: TargetLogin, of owner: String) {
        secret = login.sshLogin.secret
        admission = login.admission
        self.owner = owner
    }

    /// Throws where it may not be sent.
    func enter() throws(ConnectorFault) {
        guard !isRefused.withLock({ $0 }) else {
            throw ConnectorFault(
                .notPermitted, effect: .none,
                words: "the password of \(owner) was refused on the way to root, and is not sent again")
        }
        try admission.enter()
    }

    func end(_ end: Admission.End) {
        if end == .rejected { isRefused.withLock { $0 = true } }
        admission.end(end)
    }
}
