internal import Cryptography
internal import Synchronization

/// What the log and its committer share beside the queue.
final class AuditState: Sendable {
    private let status = Mutex(AuditStatus())
    private let generation = Atomic<Int64>(-1)
    private let key = Mutex<Ed25519.SigningKey?>(nil)

    var current: AuditStatus { status.withLock { $0 } }

    func update(_ change: (inout AuditStatus) -> Void) { status.withLock { change(&$0) } }

    /// The generation of the vault's rows that is durable; nil while it is not known.
    var rows: Int64? {
        let rows = generation.load(ordering: .acquiring)
        return rows < 0 ? nil : rows
    }

    /// A later generation is durable; an earlier one that is told later does not count.
    func note(rows: Int64) { generation.max(rows, ordering: .acquiringAndReleasing) }

    var signingKey: Ed25519.SigningKey? {
        get { key.withLock { $0 } }
        set { key.withLock { $0 = newValue } }
    }
}
