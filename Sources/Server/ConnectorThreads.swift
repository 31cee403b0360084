internal import Automation
internal import Threads

/// The threads on which connectors block.
struct ConnectorThreads: WorkThreads {
    private let threads: BlockingThreads<Void>

    /// - Parameter limit: how many remote steps there are at most at the same time.
    init(limit: Int) { threads = BlockingThreads(limit: limit) }

    /// A step that has begun goes on to its end or its time limit, also when nobody waits any more: cut in the middle it would leave a doubt.
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await threads.run(work)
    }
}
