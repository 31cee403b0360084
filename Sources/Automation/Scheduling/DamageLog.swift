internal import Logging
internal import Synchronization

/// Tells of rows that cannot be read or do not authenticate: of each once, however often it is come across.
final class DamageLog: Sendable {
    private let logger: Logger
    private let told = Mutex<Set<String>>([])

    init(_ logger: Logger) { self.logger = logger }

    /// - Parameters:
    ///   - what: the kind of row, `task`.
    ///   - name: its id, also where it is none.
    ///   - damage: where the damage is.
    func tell(_ what: String, _ name: String, _ damage: String) {
        guard told.withLock({ $0.insert(what + " " + name).inserted }) else { return }
        logger.error("a \(what) is left out: its row is damaged", metadata: ["\(what)": "\(name)", "damage": "\(damage)"])
    }
}
