package import Cryptography
internal import Glibc

/// Files that hold a secret: read only if nobody else can read them, written so that nobody else ever could.
package enum PrivateFile {
    private static let limit = 1 << 20

    /// The whole file. Refused if it is no regular file, belongs to somebody else, or others have any right to it.
    package static func read(_ path: String) throws(ClientError) -> Secret {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("cannot read", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("cannot read", path) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
            throw ClientError(.invalidConfiguration, "\(path) is not a file of secrets")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw ClientError(.invalidConfiguration, "\(path) belongs to another user")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw ClientError(.invalidConfiguration, "others may read \(path); repair it with: chmod 600 '\(path)'")
        }
        var isWhole = true
        let secret = Secret(capacity: Int(status.st_size)) { buffer in
            var count = 0
            while count < buffer.count, let start = buffer.baseAddress {
                let got = Glibc.read(descriptor, start + count, buffer.count - count)
                if got < 0 && errno == EINTR { continue }
                if got < 0 { isWhole = false }
                if got <= 0 { break }
                count += got
            }
            return count
        }
        guard isWhole else { throw failure("cannot read", path) }
        return secret
    }

    /// Replaces the file as a whole, or leaves the old one: written beside it with mode 0600, synced, renamed.
    package static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws(ClientError) {
        let temporary = path + ".new"
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("cannot write", path) }
        let isWritten = writeAll(bytes, to: descriptor) && fsync(descriptor) == 0
        guard close(descriptor) == 0, isWritten, rename(temporary, path) == 0 else {
            let error = failure("cannot write", path)
            unlink(temporary)
            throw error
        }
    }

    package static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Removes the file; true if there was one.
    package static func remove(_ path: String) throws(ClientError) -> Bool {
        if unlink(path) == 0 { return true }
        guard errno == ENOENT else { throw failure("cannot remove", path) }
        return false
    }

    /// Makes a directory that nobody else may enter, and its parents; an existing one must be so already.
    package static func makeDirectory(_ path: String) throws(ClientError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += (made.isEmpty || made == "/" ? "" : "/") + part
            guard mkdir(made, 0o700) == 0 || errno == EEXIST else { throw failure("cannot make", made) }
        }
        var status = stat()
        guard stat(path, &status) == 0 else { throw failure("cannot use", path) }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
            throw ClientError(.invalidConfiguration, "others may enter \(path); repair it with: chmod 700 '\(path)'")
        }
    }

    private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = UnsafeRawBufferPointer(rebasing: rest).withMemoryRebound(to: UInt8.self) {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func failure(_ what: String, _ path: String) -> ClientError {
        ClientError(.invalidConfiguration, "\(what) \(path): \(String(cString: strerror(errno)))")
    }
}
