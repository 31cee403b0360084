internal import Synchronization

/// How many write transactions have ended: whoever kept something from an earlier count reads it anew.
///
/// It rises before the one who wrote hears that it is done, so nobody can know of a change and still be served the state before it.
final class CommitCount: Sendable {
    private let count = Atomic<UInt64>(0)

    var value: UInt64 { count.load(ordering: .acquiring) }

    func add() { count.wrappingAdd(1, ordering: .releasing) }
}
