internal import Synchronization

/// A way to end blocking work from another thread: what blocks registers how it is stopped, and whoever has lost interest fires.
package final class Interruption: Sendable {
    private struct State {
        var hasFired = false
        var actions: [UInt64: @Sendable () -> Void] = [:]
        var next: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    package var hasFired: Bool { state.withLock { $0.hasFired } }

    /// Stops what is registered, and whatever registers from now on.
    package func fire() {
        let actions = state.withLock { state in
            state.hasFired = true
            defer { state.actions = [:] }
            return Array(state.actions.values)
        }
        for action in actions { action() }
    }

    /// Registers an action, which must not block; it runs at once when it is too late. The number takes it back.
    package func onFire(_ action: @escaping @Sendable () -> Void) -> UInt64 {
        let number = state.withLock { state -> UInt64? in
            guard !state.hasFired else { return nil }
            state.next += 1
            state.actions[state.next] = action
            return state.next
        }
        if let number { return number }
        action()
        return 0
    }

    package func forget(_ number: UInt64) {
        state.withLock { $0.actions[number] = nil }
    }
}
