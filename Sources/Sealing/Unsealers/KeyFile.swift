package import Cryptography
internal import Glibc

/// The default slot: a key in a file of its own directory, outside the data directory, so that a copied data directory opens nothing.
///
/// The file holds 64 hexadecimal digits and a line feed, is owned by the server's user and closed to everybody else. With systemd
/// it can come from `$CREDENTIALS_DIRECTORY`.
package struct KeyFileUnsealer: Unsealer {
    package static let kind = "key-file"
    package static let fileName = "keyturn.key"

    private let path: String

    package init(directory: String) {
        path = directory + "/" + Self.fileName
    }

    package func wrappingKey(parameters: [UInt8]) throws -> SymmetricKey {
        // Without waiting: a pipe in its place must not hold the start up.
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw SealingFault.keyFile(
                "cannot read the key file \(path): \(String(cString: strerror(errno)))",
                remedy: "put the key file there, or set key_directory, or unseal with the recovery code")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SealingFault.keyFile("\(path) is not a file", remedy: "put the key file there")
        }
        // Whoever owns the file can read it whatever its mode; the system's own files (credentials) are as good as ours.
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw SealingFault.keyFile("\(path) belongs to another user", remedy: "chown \(geteuid()) \(path)")
        }
        guard status.st_mode & Self.strangers(status) == 0 else {
            throw SealingFault.keyFile("\(path) can be read by others", remedy: "chmod 600 \(path)")
        }
        let text = Secret(capacity: 128) { buffer in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            return max(count, 0)
        }
        guard let key = try text.withBytes({ try Hexadecimal.key(from: $0) }) else {
            throw SealingFault.keyFile(
                "\(path) does not hold 64 hexadecimal digits", remedy: "restore the key file from its copy")
        }
        return key
    }

    /// The bits of the mode that would let others in.
    ///
    /// systemd 254 and later give a credential to a service's user by an access list: the file is root's, of root's group, and the group's
    /// bits are the list's mask (0440). Nobody but root can have made it so.
    private static func strangers(_ status: stat) -> mode_t {
        geteuid() != 0 && status.st_uid == 0 && status.st_gid == 0 ? 0o037 : 0o077
    }

    /// Makes the directory (0700) and a fresh key file (0600) in it; refuses to replace one.
    package func create() throws -> SymmetricKey {
        let directory = String(path.dropLast(Self.fileName.count + 1))
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw SealingFault.keyFile(
                "cannot make \(directory): \(String(cString: strerror(errno)))", remedy: "make it, or set another key directory")
        }
        try requirePrivate(directory)
        let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw SealingFault.keyFile(
                "cannot make \(path): \(String(cString: strerror(errno)))",
                remedy: "move the old key file away, or choose another key directory")
        }
        defer { close(descriptor) }
        let key = try SymmetricKey.random()
        let text = key.withBytes { Hexadecimal.line(from: $0) }
        let written = text.withBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard written == text.count, fsync(descriptor) == 0 else {
            let reason = String(cString: strerror(errno))
            // Half a key opens nothing, and would stand in the way of the next try.
            unlink(path)
            throw SealingFault.keyFile("cannot write \(path): \(reason)", remedy: "free space there")
        }
        try syncDirectory(directory)
        return key
    }

    /// Whoever can write into the directory can put another key there.
    private func requirePrivate(_ directory: String) throws {
        var status = stat()
        guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw SealingFault.keyFile("\(directory) is not a directory", remedy: "choose another key directory")
        }
        guard status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
            throw SealingFault.keyFile(
                "\(directory) is open to other users", remedy: "chown \(geteuid()) \(directory) && chmod 700 \(directory)")
        }
    }

    private func syncDirectory(_ directory: String) throws {
        let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        _ = fsync(descriptor)
    }
}

/// Keys as hexadecimal text, without a `String` in between.
enum Hexadecimal {
    static func key(from text: UnsafeRawBufferPointer) throws -> SymmetricKey? {
        let digits = text.prefix { $0 != 10 && $0 != 13 && $0 != 32 }
        guard digits.count == SymmetricKey.byteCount * 2,
            text.dropFirst(digits.count).allSatisfy({ $0 == 10 || $0 == 13 || $0 == 32 }),
            digits.allSatisfy({ value(of: $0) != nil })
        else { return nil }
        return try SymmetricKey(
            Secret(capacity: SymmetricKey.byteCount) { buffer in
                for index in 0..<SymmetricKey.byteCount {
                    let high = value(of: text[index * 2]) ?? 0
                    let low = value(of: text[index * 2 + 1]) ?? 0
                    buffer[index] = high << 4 | low
                }
                return SymmetricKey.byteCount
            })
    }

    static func line(from bytes: UnsafeRawBufferPointer) -> Secret {
        Secret(capacity: bytes.count * 2 + 1) { buffer in
            let digits = Array("0123456789abcdef".utf8)
            for (index, byte) in bytes.enumerated() {
                buffer[index * 2] = digits[Int(byte >> 4)]
                buffer[index * 2 + 1] = digits[Int(byte & 15)]
            }
            buffer[bytes.count * 2] = 10
            return bytes.count * 2 + 1
        }
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 65...70: digit - 55
        case 97...102: digit - 87
        default: nil
        }
    }
}
