import Synchronization

/// Counts since the start, and what is open now.
package struct Statistics: Sendable, Equatable {
    package var openConnections = 0
    package var acceptedConnections = 0
    /// Turned away at a limit of connections.
    package var refusedConnections = 0
    package var requests = 0
    package var answers = 0
    /// Requests that were refused for their form as messages.
    package var malformed = 0
    /// Exchanges that wait for their answer.
    package var parked = 0
    /// Parked exchanges whose client left.
    package var abandoned = 0
    /// Parked exchanges that were answered 503 at their deadline.
    package var overdue = 0
    /// Connections that were ended at a deadline.
    package var cutConnections = 0
    /// Times that a loop looked at its connections.
    package var passes = 0
    /// Bytes that collected request bodies take now.
    package var bodyBytes = 0
}

/// One loop's counters: written by its thread, read by any.
final class Counters: Sendable {
    let acceptedConnections = Atomic<Int>(0)
    let refusedConnections = Atomic<Int>(0)
    let requests = Atomic<Int>(0)
    let answers = Atomic<Int>(0)
    let malformed = Atomic<Int>(0)
    let parked = Atomic<Int>(0)
    let abandoned = Atomic<Int>(0)
    let overdue = Atomic<Int>(0)
    let cutConnections = Atomic<Int>(0)
    let passes = Atomic<Int>(0)

    func add(to statistics: inout Statistics) {
        statistics.acceptedConnections += acceptedConnections.load(ordering: .relaxed)
        statistics.refusedConnections += refusedConnections.load(ordering: .relaxed)
        statistics.requests += requests.load(ordering: .relaxed)
        statistics.answers += answers.load(ordering: .relaxed)
        statistics.malformed += malformed.load(ordering: .relaxed)
        statistics.parked += parked.load(ordering: .relaxed)
        statistics.abandoned += abandoned.load(ordering: .relaxed)
        statistics.overdue += overdue.load(ordering: .relaxed)
        statistics.cutConnections += cutConnections.load(ordering: .relaxed)
        statistics.passes += passes.load(ordering: .relaxed)
    }
}

extension Atomic where Value == Int {
    /// One more.
    func count() {
        wrappingAdd(1, ordering: .relaxed)
    }
}
