internal import Glibc
internal import Synchronization

/// Blocks of the file system held by a file, to be given up when the disk is full, so that the audit can still be written.
package final class DiskReserve: Sendable {
    private let path: String
    private let bytes: Int64
    private let held = Mutex(false)

    /// Takes the blocks at once where there is room; a file of that size that is there already counts.
    init(path: String, bytes: Int64) {
        self.path = path
        self.bytes = bytes
        restore()
    }

    /// Whether the blocks are held.
    package var isHeld: Bool { held.withLock { $0 } }

    /// Gives the blocks back to the file system; false when there was nothing to give.
    @discardableResult
    package func release() -> Bool {
        held.withLock { held in
            guard held else { return false }
            held = false
            return truncate(path, 0) == 0
        }
    }

    /// Takes the blocks again when that leaves at least as much free; true when they are held afterwards.
    @discardableResult
    package func restore() -> Bool {
        guard bytes > 0 else { return false }
        return held.withLock { held in
            if held { return true }
            held = allocate()
            return held
        }
    }

    private func allocate() -> Bool {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { return false }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { return false }
        if status.st_size == bytes, status.st_blocks * 512 >= bytes { return true }
        guard Self.freeBytes(at: path) / 2 >= bytes, posix_fallocate(file, 0, off_t(bytes)) == 0 else {
            _ = ftruncate(file, 0)
            return false
        }
        return true
    }

    /// Bytes that a process without privileges can still write; 0 when the file system cannot be asked.
    static func freeBytes(at path: String) -> Int64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return 0 }
        let (bytes, overflow) = Int64(clamping: status.f_bavail).multipliedReportingOverflow(by: Int64(clamping: status.f_frsize))
        return overflow ? .max : bytes
    }
}
