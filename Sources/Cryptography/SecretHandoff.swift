internal import Synchronization

/// The one way by which a secret crosses between threads or into an escaping closure: put in once, taken once.
package final class SecretHandoff: Sendable {
    private let slot: Mutex<Secret?>

    package init(_ secret: consuming Secret) {
        slot = Mutex(secret)
    }

    /// The secret, to the first caller; nil to every later one.
    package func take() -> Secret? {
        slot.withLock { stored in
            let taken = stored.take()
            return taken
        }
    }
}
