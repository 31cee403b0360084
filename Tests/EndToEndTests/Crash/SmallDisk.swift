import Glibc
import TestSupport
import Testing

/// A file system of a few megabytes that can be filled to the last byte.
final class SmallDisk: Sendable {
    /// The one on which the data of a suite's server lie.
    @TaskLocal static var shared: SmallDisk?

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

    /// Empties the write-ahead log of a database that nobody uses: what was written there before would be room.
    func shorten(_ database: String) throws {
        let program = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=60).execute('PRAGMA wal_checkpoint(TRUNCATE)')"
        let done = try ExternalProgram.run("python3", ["-c", program, file(database)])
        try #require(done.status == 0, "\(done.standardError)")
    }

    /// Reads the database until the value goes: its write-ahead log is not begun anew meanwhile, so that every commit needs more space.
    func reader(of database: String) async throws -> RunningProgram {
        let program = """
            import sqlite3, sys
            connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
            print("reading", flush=True)
            sys.stdin.read()
            """
        let reader = try RunningProgram("python3", ["-c", program, file(database)])
        try await reader.waitForOutput("reading")
        return reader
    }

    func empty() { unlink(file("filling")) }
}
