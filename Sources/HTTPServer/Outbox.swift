import CHTTPShim
import Synchronization

/// The answers of one loop that wait in their wires for leave, by slot.
///
/// Whoever takes an answer out decides about it: a thread that gives leave sends it at once, without waking the loop, whose own thread is the
/// one that is busy; the loop takes back what its client or its deadline has made void.
final class Outbox: Sendable {
    // Unchecked: it carries a pointer to a wire, whose functions may be called on any thread while the wire is held.
    private struct Entry: @unchecked Sendable {
        var generation: UInt64 = 0
        /// Held for the outbox; nil when nothing waits.
        var wire: OpaquePointer?
        /// Whether a request of the same connection waits for this answer.
        var isFollowed = false
    }

    /// What became of tickets that got leave.
    // Unchecked for the same reason.
    struct Departed: @unchecked Sendable {
        /// Wires whose answers may leave, each held for whoever sends it.
        fileprivate(set) var wires: [OpaquePointer] = []
        /// Whether the loop has to look at once: an answer was not here yet, or a request waits behind one.
        fileprivate(set) var needsLoop = false
    }

    private let entries = Mutex<[Entry]>([])

    /// An answer waits in a wire; on the loop's thread.
    func put(_ wire: OpaquePointer, slot: Int, generation: UInt64) {
        khttp_wire_hold(wire)
        entries.withLock { entries in
            while entries.count <= slot { entries.append(Entry()) }
            entries[slot] = Entry(generation: generation, wire: wire)
        }
    }

    /// Takes an answer back; false when it was let go already.
    func take(slot: Int, generation: UInt64) -> Bool {
        let taken: Entry? = entries.withLock { entries in
            guard Self.has(slot, generation, entries) else { return nil }
            defer { entries[slot].wire = nil }
            return entries[slot]
        }
        guard let wire = taken?.wire else { return false }
        khttp_wire_drop(wire)
        return true
    }

    /// Makes the ticket of an answer void and keeps the answer; false when it was let go already.
    func renew(slot: Int, generation: UInt64) -> Bool {
        entries.withLock { entries in
            guard Self.has(slot, generation, entries) else { return false }
            entries[slot].generation &+= 1
            return true
        }
    }

    /// A request waits for an answer; false when that was let go already.
    func follow(slot: Int, generation: UInt64) -> Bool {
        entries.withLock { entries in
            guard Self.has(slot, generation, entries) else { return false }
            entries[slot].isFollowed = true
            return true
        }
    }

    private static func has(_ slot: Int, _ generation: UInt64, _ entries: [Entry]) -> Bool {
        entries.indices.contains(slot) && entries[slot].generation == generation && entries[slot].wire != nil
    }

    /// Lets answers go; the caller sends them.
    func letGo(_ tickets: [Ticket]) -> Departed {
        var departed = Departed()
        departed.wires.reserveCapacity(tickets.count)
        entries.withLock { entries in
            for ticket in tickets {
                guard Self.has(ticket.slot, ticket.generation, entries), let wire = entries[ticket.slot].wire else {
                    departed.needsLoop = true
                    continue
                }
                // From now on the loop sends it too, if it has to end the connection.
                khttp_wire_let_go(wire)
                if entries[ticket.slot].isFollowed { departed.needsLoop = true }
                entries[ticket.slot].wire = nil
                departed.wires.append(wire)
            }
        }
        return departed
    }
}

extension Outbox.Departed {
    /// Sends the answers; the addresses of wires whose sockets did not take all.
    func send() -> [UInt] {
        var unsent: [UInt] = []
        for wire in wires {
            if !khttp_wire_send(wire) { unsent.append(UInt(bitPattern: wire)) }
            khttp_wire_drop(wire)
        }
        if !wires.isEmpty { khttp_wipe_stack() }
        return unsent
    }
}
