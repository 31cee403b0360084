package import Cryptography
internal import Glibc

extension PrivateFile {
    private static let largestSecret = 64 << 10

    /// The secret in a file, without the line's end behind it. Refuses a file that anybody but its owner may read, or that belongs to
    /// somebody else than this user or root.
    package static func secret(at path: String) throws -> Secret {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw fault(path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw fault(path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileFault(path: path, reason: "not a plain file") }
        guard status.st_mode & 0o077 == 0 else {
            throw FileFault(path: path, reason: "others than its owner may use it: make it 0600")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw FileFault(path: path, reason: "it belongs to another user")
        }
        let secret = try Secret(capacity: largestSecret + 1) { place in
            var count = 0
            while count < place.count {
                let got = Glibc.read(file, place.baseAddress.map { $0 + count }, place.count - count)
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw fault(path) }
                if got == 0 { break }
                count += got
            }
            if count > 0, place[count - 1] == UInt8(ascii: "\n") { count -= 1 }
            if count > 0, place[count - 1] == UInt8(ascii: "\r") { count -= 1 }
            return count
        }
        guard !secret.isEmpty, secret.count <= largestSecret else {
            throw FileFault(path: path, reason: secret.isEmpty ? "empty" : "larger than \(largestSecret >> 10) KiB")
        }
        return secret
    }
}
