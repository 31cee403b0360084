internal import Glibc

/// A database server of one test: its files in a directory of its own, run by a user without rights, gone when the tests are.
///
/// The server is started by a shell that waits for the end of its input: when the tests end, however that comes, the pipe closes, and the
/// shell ends the server and removes the files.
package final class DatabaseProcess: Sendable {
    package let directory: TemporaryDirectory
    private let shell: RunningProgram

    /// - Parameters:
    ///   - script: Shell commands that make the files, in the directory, before the server is started.
    ///   - server: The command that becomes the server.
    init(_ directory: TemporaryDirectory, prepare script: String, server: String) throws(ProgramFault) {
        self.directory = directory
        let whole = """
            set -e
            umask 077
            \(script)
            \(server) &
            server=$!
            cat >/dev/null || true
            kill -QUIT $server 2>/dev/null || true
            sleep 0.2
            kill -KILL $server 2>/dev/null || true
            wait || true
            [ -n "${KEYTURN_KEEP:-}" ] || rm -rf '\(directory.path)'
            """
        let file = try directory.write(whole, to: "start.sh")
        let isRoot = geteuid() == 0
        if isRoot { try Self.give(directory.path, to: Self.nobody) }
        let unprivileged = ["setpriv", "--reuid=\(Self.nobody)", "--regid=\(Self.nobody)", "--clear-groups", "--"]
        let command = (isRoot ? unprivileged : []) + ["sh", file]
        shell = try RunningProgram(
            command[0], Array(command.dropFirst()), environment: ["HOME": directory.path, "LC_ALL": "C.UTF-8"],
            directory: directory.path, logs: nil)
    }

    private static let nobody: uid_t = 65_534

    /// Everything in the directory, which is flat when the server has not run yet.
    private static func give(_ path: String, to user: uid_t) throws(ProgramFault) {
        guard let entries = opendir(path) else { throw .system("opendir", errno) }
        defer { closedir(entries) }
        while let entry = readdir(entries) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".." { chown(path + "/" + name, user, user) }
        }
    }

    /// What it has said.
    package var log: String { shell.standardOutput + shell.standardError }

    /// Waits until `isReady` says so.
    func waitUntilReady(_ limit: Duration = .seconds(300), _ isReady: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !isReady() {
            if let ending = shell.poll() { throw ProgramFault.unexpected("the server ended with \(ending)", output: log) }
            guard ContinuousClock.now < deadline else { throw ProgramFault.timedOut("the start of a server", output: log) }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Stops the processes of the server without ending them, or lets them go on.
    package func freeze(_ isFrozen: Bool) { kill(-shell.pid, isFrozen ? SIGSTOP : SIGCONT) }
}
