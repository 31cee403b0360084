import Glibc
import TestSupport
import Testing

/// A file system of a few megabytes that can be filled to the last byte.
final class SmallDisk: Sendable {
    private let directory: TemporaryDirectory
    private let mount: Mount

    init() throws {
        directory = try TemporaryDirectory("disk")
        Glibc.mkdir(directory.file("disk"), 0o700)
        mount = try Mount.small("64m", on: directory.file("disk"))
    }

    func file(_ name: String) -> String { mount.path + "/" + name }

    /// Takes all space that is left.
    func fill() throws {
        let file = open(file("filling"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        defer { close(file) }
        for size in [1 << 20, 4096, 1] {
            let bytes = [UInt8](repeating: 0x78, count: size)
            while write(file, bytes, size) > 0 {}
        }
        try #require(errno == ENOSPC)
    }

    func empty() { unlink(file("filling")) }
}
