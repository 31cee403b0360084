internal import Glibc

extension PrivateFile {
    /// The bytes of a file of at most `limit` bytes.
    package static func read(_ path: String, limit: Int) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault(path) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes[count...].withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw fault(path) }
            if got == 0 { return Array(bytes[..<count]) }
            count += got
        }
        throw FileFault(path: path, reason: "larger than \(limit) bytes")
    }

    /// Copies a file into a new one (0600), which is on the disk afterwards.
    static func copy(_ path: String, to target: String) throws {
        let source = open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw fault(path) }
        defer { close(source) }
        let copy = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard copy >= 0 else { throw fault(target) }
        defer { close(copy) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Glibc.read(source, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw fault(path) }
            if count == 0 { break }
            var written = 0
            while written < count {
                let sent = buffer[written..<count].withUnsafeBytes { Glibc.write(copy, $0.baseAddress, $0.count) }
                if sent < 0, errno == EINTR { continue }
                guard sent > 0 else { throw fault(target) }
                written += sent
            }
        }
        guard fsync(copy) == 0 else { throw fault(target) }
    }
}
