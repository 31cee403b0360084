internal import Cryptography
internal import Synchronization

/// What the log and its committer share beside the queue.
final class AuditState: Sendable {
    private let status = Mutex(AuditStatus())
    private let key = Mutex<Ed25519.SigningKey?>(nil)

    var current: AuditStatus { status.withLock { $0 } }

    func update(_ change: (inout AuditStatus) -> Void) { status.withLock { change(&$0) } }

    var signingKey: Ed25519.SigningKey? {
        get { key.withLock { $0 } }
        set { key.withLock { $0 = newValue } }
    }
}
