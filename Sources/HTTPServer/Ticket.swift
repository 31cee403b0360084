/// Names a parked exchange from any thread; worthless once the exchange was answered or its client left.
package struct Ticket: Hashable, Sendable {
    package let loop: Int
    let slot: Int
    let generation: UInt64
}
