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

        /// Addresses of wires whose sockets did not take all of an answer that another thread sent.
        var unsent: [UInt] = []

        /// Whether the loop was woken for it.
        var wakes = false

        var isEmpty: Bool { answers.isEmpty && released.isEmpty && unsent.isEmpty }

        mutating func removeAll() {
            if !answers.isEmpty { answers.removeAll() }
            released.removeAll(keepingCapacity: true)
            if !unsent.isEmpty { unsent.removeAll() }
            wakes = false
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

    /// Gives leave to send the responses that exchanges were parked with, or tells that they were sent, which can wait for the loop's next
    /// pass.
    func release(_ tickets: [Ticket], wakes: Bool) {
        guard !tickets.isEmpty else { return }
        leave(wakes: wakes) { $0.released.append(contentsOf: tickets) }
    }

    /// Tells the loop of wires that it has to try again.
    func report(_ unsent: [UInt]) {
        guard !unsent.isEmpty else { return }
        leave { $0.unsent.append(contentsOf: unsent) }
    }

    private func leave(wakes: Bool = true, _ fill: (inout Mail) -> Void) {
        let isAwake = box.withLock { mail in
            fill(&mail)
            defer { mail.wakes = mail.wakes || wakes }
            return mail.wakes
        }
        if wakes, !isAwake { wake() }
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
