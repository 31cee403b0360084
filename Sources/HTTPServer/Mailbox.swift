import CHTTPShim
import Glibc
import Synchronization

/// Where other threads leave answers for one loop, with the descriptor that wakes it.
final class Mailbox: Sendable {
    /// An answer of another thread.
    struct Finished: Sendable {
        let ticket: Ticket
        let response: Response
        /// Whose answer it is, where somebody may want to know that it came too late.
        var sender: (request: RequestID, peer: PeerAddress)?
    }

    /// What waits for the loop.
    struct Mail: Sendable {
        /// Answers for parked exchanges.
        var answers: [Finished] = []
        /// Exchanges whose parked response may leave.
        var released: [Ticket] = []

        /// Addresses of wires whose sockets did not take all that the sender had for them.
        var unsent: [UInt] = []

        var isEmpty: Bool { answers.isEmpty && released.isEmpty && unsent.isEmpty }

        mutating func removeAll() {
            if !answers.isEmpty { answers.removeAll() }
            released.removeAll(keepingCapacity: true)
            if !unsent.isEmpty { unsent.removeAll() }
        }
    }

    private let box = Mutex(Mail())
    /// An eventfd; -1 when the system had none left.
    let descriptor: Int32

    init() {
        descriptor = khttp_eventfd()
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Leaves answers and wakes the loop: one lock, and one write when the box was empty.
    func deliver(_ answers: [Finished]) {
        guard !answers.isEmpty else { return }
        leave { $0.answers.append(contentsOf: answers) }
    }

    /// Gives leave to send the responses that exchanges were parked with.
    func release(_ tickets: [Ticket]) {
        guard !tickets.isEmpty else { return }
        leave { $0.released.append(contentsOf: tickets) }
    }

    /// Tells the loop of wires that it has to try again.
    func report(_ unsent: [UInt]) {
        guard !unsent.isEmpty else { return }
        leave { $0.unsent.append(contentsOf: unsent) }
    }

    private func leave(_ fill: (inout Mail) -> Void) {
        let wasEmpty = box.withLock { mail in
            let wasEmpty = mail.isEmpty
            fill(&mail)
            return wasEmpty
        }
        if wasEmpty { wake() }
    }

    /// Exchanges what waits for what the loop has done with, which is empty.
    func collect(into mail: inout Mail) {
        box.withLock { box in
            if !box.isEmpty { swap(&box, &mail) }
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
