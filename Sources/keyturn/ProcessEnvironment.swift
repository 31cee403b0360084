internal import Glibc

/// The environment that the next program gets from this process; what was set here is wiped if it does not come to that.
final class ProcessEnvironment {
    private var names: [String] = []

    deinit {
        for name in names {
            if let value = getenv(name) { explicit_bzero(value, strlen(value)) }
            unsetenv(name)
        }
    }

    func remove(_ name: String) {
        unsetenv(name)
    }

    /// Sets a variable to these bytes; false if they cannot be a value.
    func set(_ name: String, to value: UnsafeRawBufferPointer) -> Bool {
        guard !value.contains(0) else { return false }
        // The same with a zero at its end.
        let text = UnsafeMutableRawBufferPointer.allocate(byteCount: value.count + 1, alignment: 1)
        text.copyBytes(from: value)
        text[value.count] = 0
        defer {
            if let start = text.baseAddress { explicit_bzero(start, text.count) }
            text.deallocate()
        }
        guard let start = text.baseAddress else { return false }
        names.append(name)
        return setenv(name, start.assumingMemoryBound(to: CChar.self), 1) == 0
    }

    /// Replaces this process by the command, found on the path; returns only if that fails.
    func become(_ command: [String]) -> Failure {
        let arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        guard let first = arguments.first, let program = first else { return Failure("no command") }
        _ = execvp(program, arguments)
        let reason = errno
        return Failure(
            "\(command.first ?? ""): \(String(cString: strerror(reason)))", status: reason == ENOENT ? .notFound : .notExecutable)
    }
}
