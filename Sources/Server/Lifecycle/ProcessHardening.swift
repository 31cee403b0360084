internal import CProcessShim
internal import Glibc

/// What a process that holds keys does first: no core dumps, no debugger of the same user, private files, no swapping if wanted.
package enum ProcessHardening {
    /// Why the process must not go on.
    package struct Fault: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// Applies all of it; returns what the operator should be warned of.
    ///
    /// - Parameter allowRoot: whether it is meant to run as root.
    package static func apply(allowRoot: Bool, locksMemory: Bool) throws(Fault) -> [String] {
        umask(0o077)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        guard setrlimit(Int32(RLIMIT_CORE.rawValue), &none) == 0 else { throw fault("switch core dumps off") }
        guard kprocess_forbid_dumping() == 0 else { throw fault("forbid dumping") }
        if locksMemory {
            guard mlockall(MCL_CURRENT | MCL_FUTURE) == 0 else { throw fault("lock memory (LimitMEMLOCK)") }
        }
        raiseDescriptorLimit()
        guard geteuid() == 0, !allowRoot else { return [] }
        return ["running as root: give the server a user of its own, or say --allow-root"]
    }

    /// One descriptor a connection: as many as the system allows.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    private static func fault(_ what: String) -> Fault {
        Fault(description: "cannot \(what): " + String(cString: strerror(errno)))
    }
}
