internal import Glibc

/// Notices that a file was deleted or replaced while it is open: what is written to it then would be lost with the process.
struct FileIdentity {
    private let path: String
    private let opened: (device: UInt, inode: UInt)?

    init(path: String) {
        self.path = path
        opened = Self.identity(of: path)
    }

    /// Throws if the path does not lead to the file that was opened. About a microsecond: it is asked at each commit.
    func check() throws(AuditFault) {
        guard let opened, let now = Self.identity(of: path), now == opened else {
            throw .unwritable("the audit database was removed or replaced while it was open")
        }
    }

    private static func identity(of path: String) -> (device: UInt, inode: UInt)? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return (status.st_dev, status.st_ino)
    }
}
