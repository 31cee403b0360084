internal import Glibc

/// The checkpoints outside the database: one line each, only ever appended, synced.
struct CheckpointFile {
    let path: String
    let limit: Int64

    /// Appends a line and syncs it. A torn last line, of a machine that lost its power, is cut off first.
    func append(_ line: CheckpointLine) throws(AuditFault) {
        let file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw Self.fault("open") }
        defer { close(file) }
        let size = lseek(file, 0, SEEK_END)
        guard size >= 0 else { throw Self.fault("seek") }
        if try cutTornLine(of: file, size: size) == 0 { syncDirectory() }
        var text = line.text
        text.append(UInt8(ascii: "\n"))
        guard write(file, text, text.count) == text.count else { throw Self.fault("write") }
        guard fsync(file) == 0 else { throw Self.fault("sync") }
        if size > limit { guard rename(path, path + ".1") == 0 else { throw Self.fault("rename") } }
    }

    /// Every line, oldest first; those that are no checkpoints are nil. Lines put aside are not read.
    func lines() throws(AuditFault) -> [CheckpointLine?] {
        let bytes = try Self.bytes(of: path, last: nil)
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // After the last line feed there is nothing, or a torn line.
        if !lines.isEmpty { lines.removeLast() }
        return lines.map { CheckpointLine.parse(Array($0)) }
    }

    /// The newest whole line; nil if there is no file or no whole line.
    func last() throws(AuditFault) -> CheckpointLine? {
        for path in [path, path + ".1"] where access(path, F_OK) == 0 {
            let lines = try Self.bytes(of: path, last: 4096).split(
                separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            if let line = lines.dropLast().last { return CheckpointLine.parse(Array(line)) }
        }
        return nil
    }

    /// Returns the size after it.
    private func cutTornLine(of file: Int32, size: off_t) throws(AuditFault) -> off_t {
        var end = size
        var byte: UInt8 = 0
        while end > 0 {
            guard pread(file, &byte, 1, end - 1) == 1 else { throw Self.fault("read") }
            if byte == UInt8(ascii: "\n") { break }
            end -= 1
        }
        if end != size { guard ftruncate(file, end) == 0 else { throw Self.fault("truncate") } }
        return end
    }

    private func syncDirectory() {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { return }
        fsync(file)
        close(file)
    }

    private static func bytes(of path: String, last: off_t?) throws(AuditFault) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw .unreadable("checkpoint file: cannot open: error \(errno)") }
        defer { close(file) }
        let size = lseek(file, 0, SEEK_END)
        guard size >= 0, size <= 1 << 30 else { throw .unreadable("checkpoint file: size") }
        var bytes = [UInt8](repeating: 0, count: Int(min(size, last ?? size)))
        let start = size - off_t(bytes.count)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                pread(file, $0.baseAddress.map { $0 + done }, $0.count - done, start + off_t(done))
            }
            guard count > 0 else { throw .unreadable("checkpoint file: cannot read: error \(errno)") }
            done += count
        }
        return bytes
    }

    private static func fault(_ operation: String) -> AuditFault {
        .unwritable("checkpoint file: cannot \(operation): error \(errno)")
    }
}
