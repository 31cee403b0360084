internal import Threads

/// Runs blocking work away from the cooperative pool.
enum Blocking {
    private static let threads = BlockingThreads(limit: 16)

    static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await threads.run(work)
    }
}
