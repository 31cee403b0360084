import TestSupport

/// A file system mounted over a directory for one test; gone with the value.
///
/// Only root may mount; elsewhere the tests that need it are skipped and say so.
final class Mount: Sendable {
    let path: String

    /// Nil where file systems may be mounted, else why not.
    static let obstacle: String? = {
        guard let directory = try? TemporaryDirectory("mount") else { return "there is no temporary directory" }
        do {
            _ = try Mount(["-t", "tmpfs", "-o", "size=64k", "tmpfs"], on: directory.path)
            return nil
        } catch {
            return "file systems cannot be mounted here: \(error)"
        }
    }()

    /// - Parameter arguments: those of `mount`, without the directory.
    init(_ arguments: [String], on path: String) throws {
        self.path = path
        let mounted = try ExternalProgram.run("mount", arguments + [path])
        guard mounted.status == 0 else { throw ProgramFault.unexpected("mount failed", output: mounted.standardError) }
    }

    deinit { _ = try? ExternalProgram.run("umount", ["--lazy", path]) }

    static func small(_ size: String, on path: String) throws -> Mount {
        try Mount(["-t", "tmpfs", "-o", "mode=700,size=\(size)", "tmpfs"], on: path)
    }
}
