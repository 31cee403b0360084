import CHTTPShim
import Glibc
import Synchronization

/// Where other threads leave answers for one loop, with the descriptor that wakes it.
final class Mailbox: Sendable {
    struct Finished: Sendable {
        let ticket: Ticket
        /// Nil: send the response that the exchange was parked with.
        let response: Response?
        /// Whose answer it is, where somebody may want to know that it came too late.
        var sender: (request: RequestID, peer: PeerAddress)?
    }

    private let finished = Mutex<[Finished]>([])
    /// An eventfd; -1 when the system had none left.
    let descriptor: Int32

    init() {
        descriptor = khttp_eventfd()
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Leaves answers and wakes the loop: one lock, and one write when the box was empty.
    func deliver(_ items: [Finished]) {
        guard !items.isEmpty else { return }
        let wasEmpty = finished.withLock { box in
            let wasEmpty = box.isEmpty
            if wasEmpty { box = items } else { box.append(contentsOf: items) }
            return wasEmpty
        }
        if wasEmpty { wake() }
    }

    func collect() -> [Finished] {
        finished.withLock { box in
            guard !box.isEmpty else { return [] }
            let taken = box
            box = []
            return taken
        }
    }

    func wake() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Takes the wake-ups back, so that the descriptor is quiet again.
    func drain() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
