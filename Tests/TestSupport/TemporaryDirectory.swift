import Glibc

/// A new directory for one test, readable by its owner alone, removed with everything in it when the value goes.
///
/// `KEYTURN_KEEP=1` in the environment keeps it, for looking at what a failed test left behind.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init(_ purpose: String = "test") throws(ProgramFault) {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/keyturn-\(purpose)-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw .system("mkdtemp", errno) }
        path = String(cString: made)
    }

    deinit {
        guard getenv("KEYTURN_KEEP") == nil else { return }
        Self.remove(path)
    }

    package func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file that only its owner may read, and returns its path.
    @discardableResult
    package func write(_ text: String, to name: String) throws(ProgramFault) -> String {
        try write(Array(text.utf8), to: name)
    }

    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) throws(ProgramFault) -> String {
        let path = file(name)
        let descriptor = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode: 0o600)
        try descriptor.write(bytes)
        return path
    }

    package func read(_ name: String) throws(ProgramFault) -> [UInt8] {
        try Descriptor.open(file(name), O_RDONLY | O_CLOEXEC).readAll()
    }

    /// Depth first, and without following links.
    private static func remove(_ path: String) {
        guard let directory = opendir(path) else {
            unlink(path)
            return
        }
        while let entry = readdir(directory) {
            let isDirectory = entry.pointee.d_type == UInt8(DT_DIR)
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name != "." && name != ".." else { continue }
            if isDirectory { remove(path + "/" + name) } else { unlink(path + "/" + name) }
        }
        closedir(directory)
        rmdir(path)
    }
}
