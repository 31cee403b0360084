internal import Glibc
internal import Synchronization

/// The directory that holds a server's databases: private to its owner, and used by one server at a time.
package final class DataDirectory: Sendable {
    package let path: String
    /// Space set aside for what must still be written when the disk is full.
    package let reserve: DiskReserve
    /// Holds the lock for as long as it is open; -1 without a lock.
    private let lock: Mutex<Int32>

    /// Checks owner and modes, and takes the lock that keeps a second server out.
    ///
    /// - Parameter create: makes the directory (mode 0700) where there is none.
    /// - Throws: `.notPermitted` with the repairing command, `.locked`, `.missing`, `.readOnly`, `.io`.
    package static func open(at path: String, create: Bool = false, reserve bytes: Int64 = 16 << 20) throws(StorageFault)
        -> DataDirectory
    {
        if create, mkdir(path, 0o700) != 0, errno != EEXIST {
            throw errno == ENOENT ? .missing(parent(of: path)) : .system(errno)
        }
        try check(path)
        let lock = try takeLock(path + "/" + Name.lock)
        return DataDirectory(path: path, lock: lock, reserve: DiskReserve(path: path + "/" + Name.reserve, bytes: bytes))
    }

    /// Checks owner and modes without taking the lock: for looking at what a running server may be using.
    package static func inspect(_ path: String) throws(StorageFault) -> DataDirectory {
        try check(path)
        return DataDirectory(path: path, lock: -1, reserve: DiskReserve(path: path + "/" + Name.reserve, bytes: 0))
    }

    private init(path: String, lock: Int32, reserve: DiskReserve) {
        self.path = path
        self.lock = Mutex(lock)
        self.reserve = reserve
    }

    deinit { unlock() }

    /// Lets another server in: for the end, when nothing of the directory is used any more.
    package func unlock() {
        lock.withLock { lock in
            guard lock >= 0 else { return }
            // Explicitly: a child process that is just being started holds a copy of the descriptor.
            flock(lock, LOCK_UN)
            close(lock)
            lock = -1
        }
    }
}

// MARK: - Names

extension DataDirectory {
    package var database: String { path + "/" + Name.database }
    package var auditDatabase: String { path + "/" + Name.audit }
    package var controlSocket: String { path + "/" + Name.socket }

    /// Bytes that a process without privileges can still write on the file system; 0 when it cannot be asked.
    package var freeBytes: Int64 { DiskReserve.freeBytes(at: path) }

    private enum Name {
        static let database = "keyturn.db"
        static let audit = "audit.db"
        static let socket = "control.sock"
        static let lock = "lock"
        static let reserve = "reserve"
        static let checkpoints = "audit-checkpoints.jsonl"

        /// Everything that must be readable by the owner alone.
        static let files =
            [database, audit].flatMap { [$0, $0 + "-wal", $0 + "-shm", $0 + "-journal"] } + [socket, lock, reserve, checkpoints]
        /// A link instead is the operator's doing, and what it leads to is none of ours.
        static let certificateKey = "tls/server.key"
    }
}

// MARK: - Owner, modes, lock

extension DataDirectory {
    private static func check(_ path: String) throws(StorageFault) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw errno == ENOENT ? .missing(path) : .system(errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .io(code: ENOTDIR) }
        try check(path, status, mode: "700")
        for name in Name.files {
            let file = path + "/" + name
            guard lstat(file, &status) == 0 else {
                if errno == ENOENT { continue }
                throw .system(errno)
            }
            if status.st_mode & S_IFMT == S_IFLNK {
                throw .notPermitted("\(file) is a symbolic link", remedy: "rm " + quoted(file))
            }
            try check(file, status, mode: "600")
        }
        let key = path + "/" + Name.certificateKey
        if lstat(key, &status) == 0, status.st_mode & S_IFMT == S_IFREG { try check(key, status, mode: "600") }
    }

    private static func check(_ path: String, _ status: stat, mode: String) throws(StorageFault) {
        guard status.st_uid == geteuid() else {
            throw .notPermitted("\(path) belongs to user \(status.st_uid)", remedy: "chown \(geteuid()) " + quoted(path))
        }
        guard status.st_mode & 0o077 == 0 else {
            throw .notPermitted("\(path) is open to other users", remedy: "chmod \(mode) " + quoted(path))
        }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The path as one word of a shell command.
    private static func quoted(_ path: String) -> String {
        "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    private static func takeLock(_ path: String) throws(StorageFault) -> Int32 {
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .system(errno) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            defer { close(file) }
            throw number == EWOULDBLOCK ? .locked(by: processNumber(in: file)) : .system(number)
        }
        // Who holds it, for the one who is kept out. A full disk must not keep the server from starting.
        let text = "\(getpid())\n"
        _ = ftruncate(file, 0)
        _ = text.withCString { pwrite(file, $0, strlen($0), 0) }
        return file
    }

    private static func processNumber(in file: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<min(count, bytes.count)].prefix { $0 >= 48 && $0 <= 57 }, as: UTF8.self))
    }
}
