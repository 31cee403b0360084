import Dispatch

/// Runs a test's blocking socket calls on a thread of their own, so that the tasks of the server under test are not starved.
func blocking(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { (waiter: CheckedContinuation<Void, any Swift.Error>) in
        DispatchQueue.global().async {
            do {
                try body()
                waiter.resume()
            } catch {
                waiter.resume(throwing: error)
            }
        }
    }
}
