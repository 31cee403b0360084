import Synchronization
import Testing
import Threads

import Glibc

@Suite("Blocking threads")
struct BlockingThreadsTests {
    @Test("no more jobs run at once than there are threads, and all of them run")
    func bounded() async throws {
        let threads = BlockingThreads(limit: 3, stackSize: 512 * 1024)
        defer { threads.close() }
        let counts = Counts()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await threads.run {
                        counts.enter()
                        usleep(5000)
                        counts.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(counts.total == 20)
        #expect(counts.most <= 3)
    }

    @Test("a cancelled task fires the interruption of the work that it waits for")
    func cancellation() async throws {
        let threads = BlockingThreads(limit: 1)
        defer { threads.close() }
        let interruption = Interruption()
        let work = Task {
            try await threads.run(interruption: interruption) {
                while !interruption.hasFired { usleep(1000) }
                return "ended early"
            }
        }
        work.cancel()
        #expect(try await work.value == "ended early")
    }

    @Test("a thread keeps its tool from job to job")
    func tools() async throws {
        let made = Counts()
        let threads = BlockingThreads<Int>(limit: 1) {
            made.enter()
            return 7
        }
        defer { threads.close() }
        for _ in 0..<5 { #expect(try await threads.run { (tool: Int) in tool } == 7) }
        #expect(made.total == 1)
    }

    @Test("closed threads take no work and say so")
    func closed() async {
        let threads = BlockingThreads(limit: 1)
        threads.close()
        await #expect(throws: NoThread.self) { try await threads.run {} }
    }

    @Test("what is registered after the firing is stopped at once, and what was taken back is left alone")
    func interruption() {
        let counts = Counts()
        let interruption = Interruption()
        let number = interruption.onFire { counts.enter() }
        interruption.forget(number)
        _ = interruption.onFire { counts.enter() }
        interruption.fire()
        interruption.fire()
        #expect(counts.total == 1)
        _ = interruption.onFire { counts.enter() }
        #expect(counts.total == 2)
    }
}

final class Counts: Sendable {
    private let state = Mutex((now: 0, most: 0, total: 0))
    var most: Int { state.withLock { $0.most } }
    var total: Int { state.withLock { $0.total } }

    func enter() {
        state.withLock { state in
            state.now += 1
            state.total += 1
            state.most = max(state.most, state.now)
        }
    }

    func leave() { state.withLock { $0.now -= 1 } }
}
