import CHTTPShim
import Threads

/// A thread beside a loop that makes records of answers and sends them, when many may leave at once.
///
/// Ciphers and sockets are a third of what a fetch costs the loop, whose thread is the one that is busy. Nothing depends on when the sender
/// comes: an answer that may leave is sent by whoever touches its wire first, and the wire's lock lets one at a time.
final class Sender: Sendable {
    /// Wires whose answers may leave, each held for the sender.
    final class Batch: @unchecked Sendable {
        fileprivate private(set) var wires: [OpaquePointer] = []

        func append(_ wire: OpaquePointer) {
            khttp_wire_hold(wire)
            wires.append(wire)
        }
    }

    /// Fewer than these are sent by the loop at once: waking a thread costs as much.
    static let least = 4

    private let thread = BlockingThreads(limit: 1) { khttp_name_thread("send") }
    private let mailbox: Mailbox

    init(_ mailbox: Mailbox) {
        self.mailbox = mailbox
    }

    /// Sends what may leave of these wires, on the sender's thread or, where there is none, on this one.
    func send(_ batch: Batch) {
        guard !batch.wires.isEmpty else { return }
        if !thread.submit({ [mailbox] _ in Self.send(batch, mailbox) }) { Self.send(batch, mailbox) }
    }

    /// Lets the thread end after what it has got.
    func close() {
        _ = thread.submit { _ in khttp_free_spare() }
        thread.close()
    }

    private static func send(_ batch: Batch, _ mailbox: Mailbox) {
        var unsent: [UInt] = []
        for wire in batch.wires {
            if !khttp_wire_send(wire) { unsent.append(UInt(bitPattern: wire)) }
            khttp_wire_drop(wire)
        }
        khttp_wipe_stack()
        mailbox.report(unsent)
    }
}
