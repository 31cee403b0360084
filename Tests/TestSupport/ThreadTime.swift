import Glibc

/// The processor's time of the calling thread: what its work takes, however long others keep it waiting.
package enum ThreadTime {
    /// - Parameter body: stays on the thread.
    package static func measure(_ body: () throws -> Void) rethrows -> Duration {
        let start = now
        try body()
        return now - start
    }

    private static var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
