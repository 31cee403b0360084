import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("Data directory")
struct DataDirectoryTests {
    let directory: TemporaryDirectory
    var path: String { directory.file("it's data") }

    init() throws { directory = try TemporaryDirectory() }

    @Test("it is made private, with its files")
    func create() throws {
        let data = try DataDirectory.open(at: path, create: true, reserve: 1 << 20)
        let database = try Database.open(at: data.database)
        database.close()
        for (file, mode) in [(path, 0o700), (data.database, 0o600), (path + "/lock", 0o600), (path + "/reserve", 0o600)]
            as [(String, mode_t)]
        {
            var status = stat()
            #expect(stat(file, &status) == 0)
            #expect(status.st_mode & 0o777 == mode, "\(file)")
        }
        #expect(data.freeBytes > 0)
    }

    @Test("one that is not there is missing unless it is to be made")
    func missing() {
        #expect(throws: StorageFault.missing(path)) { try DataDirectory.open(at: path) }
        #expect(throws: StorageFault.missing(path)) { try DataDirectory.inspect(path) }
        #expect(throws: StorageFault.missing(path + "/a")) { try DataDirectory.open(at: path + "/a/b", create: true) }
    }

    @Test("a second server is kept out and told who is in; looking is allowed")
    func lock() throws {
        var first: DataDirectory? = try DataDirectory.open(at: path, create: true, reserve: 0)
        #expect(throws: StorageFault.locked(by: getpid())) { try DataDirectory.open(at: path) }
        _ = try DataDirectory.inspect(path)
        #expect(first?.path == path)
        first = nil
        _ = try DataDirectory.open(at: path)
    }

    @Test(
        "a directory or file open to others is refused with the command that repairs it",
        arguments: [
            ("", 0o750, "700"), ("", 0o701, "700"), ("keyturn.db", 0o640, "600"), ("audit.db", 0o604, "600"),
            ("keyturn.db-wal", 0o660, "600"),
            ("control.sock", 0o666, "600"), ("reserve", 0o644, "600"),
        ] as [(String, mode_t, String)])
    func modes(name: String, mode: mode_t, remedy: String) throws {
        _ = try DataDirectory.open(at: path, create: true, reserve: 0)
        let file = name.isEmpty ? path : path + "/" + name
        if !name.isEmpty { close(open(file, O_RDWR | O_CREAT, 0o600)) }
        chmod(file, mode)
        let command = "chmod \(remedy) '" + file.split(separator: "'").joined(separator: "'\\''") + "'"
        #expect(throws: StorageFault.notPermitted("\(file) is open to other users", remedy: command)) {
            try DataDirectory.open(at: path)
        }
        #expect(throws: StorageFault.self) { try DataDirectory.inspect(path) }
        chmod(file, name.isEmpty ? 0o700 : 0o600)
        _ = try DataDirectory.open(at: path)
    }

    @Test("a symbolic link in the place of a file is refused")
    func link() throws {
        _ = try DataDirectory.open(at: path, create: true, reserve: 0)
        symlink("/dev/null", path + "/audit.db")
        #expect(throws: StorageFault.self) { try DataDirectory.open(at: path) }
    }

    @Test("somebody else's directory is refused", .enabled(if: geteuid() == 0, "only root can give a directory away"))
    func owner() throws {
        mkdir(path, 0o700)
        chown(path, 65534, 65534)
        let command = "chown 0 '" + path.split(separator: "'").joined(separator: "'\\''") + "'"
        #expect(throws: StorageFault.notPermitted("\(path) belongs to user 65534", remedy: command)) {
            try DataDirectory.open(at: path)
        }
    }

    @Test("the reserve is real blocks, given up once and taken again")
    func reserve() throws {
        let data = try DataDirectory.open(at: path, create: true, reserve: 1 << 20)
        #expect(data.reserve.isHeld && blocks() >= 1 << 20)
        #expect(data.reserve.release() && !data.reserve.release())
        #expect(!data.reserve.isHeld && blocks() == 0)
        #expect(data.reserve.restore() && data.reserve.restore())
        #expect(data.reserve.isHeld && blocks() >= 1 << 20)
    }

    private func blocks() -> Int {
        var status = stat()
        stat(path + "/reserve", &status)
        return Int(status.st_blocks) * 512
    }
}
