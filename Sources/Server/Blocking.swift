internal import Dispatch

/// Runs blocking work away from the cooperative pool.
enum Blocking {
    private static let queue = DispatchQueue(label: "keyturn.blocking", attributes: .concurrent)

    static func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Swift.Result { try work() }) }
        }
    }
}
