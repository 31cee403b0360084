/// Where blocking work of connectors runs: on a bounded number of threads of its own, never on the cooperative pool.
package protocol WorkThreads: Sendable {
    /// Runs the work when a thread is free for it.
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value
}
