import Glibc
import Synchronization

/// `posix_spawn` with what the tests need: a process group, three descriptors, an environment, a directory.
enum Spawn {
    /// Held while a program is started, and while a descriptor is not yet marked as not to be inherited.
    static let lock = Mutex(())

    static func start(
        _ program: String, _ arguments: [String], environment: [String: String?], directory: String?,
        standard: (input: Int32, output: Int32, errors: Int32)
    ) throws(ProgramFault) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, standard.input, 0)
        posix_spawn_file_actions_adddup2(&actions, standard.output, 1)
        posix_spawn_file_actions_adddup2(&actions, standard.errors, 2)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that the test program ignores or blocks must reach its children.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = Int32(POSIX_SPAWN_SETPGROUP) | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, Int16(flags))

        // The call that would set the directory is not imported; `env` does it.
        let words = (directory.map { ["env", "--chdir", $0] } ?? []) + [program] + arguments
        var pid: pid_t = 0
        let code = withCStrings(words) { argv in
            withCStrings(merged(environment)) { variables in
                lock.withLock { _ in posix_spawnp(&pid, argv[0].unsafelyUnwrapped, &actions, &attributes, argv, variables) }
            }
        }
        if code == ENOENT { throw .notFound(program) }
        guard code == 0 else { throw .system("posix_spawn \(program)", code) }
        return pid
    }

    private static func merged(_ changes: [String: String?]) -> [String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee.map({ String(cString: $0) }) {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        for (name, value) in changes { variables[name] = value }
        return variables.map { "\($0.key)=\($0.value)" }
    }

    private static func withCStrings<Value>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        pointers.append(nil)
        defer { pointers.forEach { free($0) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            // A buffer of at least one element has a base address.
            body(buffer.baseAddress.unsafelyUnwrapped)
        }
    }
}
