internal import Glibc
internal import Synchronization

/// A database file with one writing thread and several reading ones.
package final class Database: Sendable {
    package let path: String
    package let options: DatabaseOptions
    /// Counts this process's write transactions, before their callers go on.
    let commits = CommitCount()
    private let writer: ConnectionThreads
    private let longest = Mutex(Duration.zero)
    private let readers: ConnectionThreads
    private let witness = Mutex<(any RowWitness)?>(nil)

    /// From now on every transaction of the writing thread is settled with the witness.
    package func attach(_ witness: any RowWitness) { self.witness.withLock { $0 = witness } }

    /// Opens the file, and makes it (mode 0600) where there is none. Blocks: for start-up and operator commands.
    package static func open(at path: String, options: DatabaseOptions = DatabaseOptions()) throws(StorageFault) -> Database {
        if !options.isReadOnly { try createFile(at: path) }
        return try Database(path: path, options: options)
    }

    private init(path: String, options: DatabaseOptions) throws(StorageFault) {
        self.path = path
        self.options = options
        // The writer first: it sets the journal mode.
        writer = try ConnectionThreads([SQLiteConnection(path: path, writable: true, options: options)])
        var connections: [SQLiteConnection] = []
        for _ in 0..<max(1, options.readers) {
            connections.append(try SQLiteConnection(path: path, writable: false, options: options))
        }
        readers = try ConnectionThreads(connections)
    }

    /// Runs the closure in one read transaction on a reading thread.
    package func read<Value: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Value) async throws -> Value {
        try await run(on: readers, body)
    }

    /// Runs the closure in one transaction on the writing thread; what it changed is durable when this returns.
    @discardableResult
    package func write<Value: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Value) async throws -> Value {
        try await run(on: writer) { [self] in try timed($0, body) }
    }

    /// As `read`, but blocks the caller: never from the cooperative pool.
    package func readSync<Value: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Value) throws -> Value {
        try runSync(on: readers, body)
    }

    /// As `write`, but blocks the caller: never from the cooperative pool.
    @discardableResult
    package func writeSync<Value: Sendable>(_ body: @escaping @Sendable (any SQLConnection) throws -> Value) throws -> Value {
        try runSync(on: writer) { [self] in try timed($0, body) }
    }

    /// The longest that the body of a write has worked since the last time this was asked; the sync at its end is not in it.
    package func takeLongestWrite() -> Duration {
        longest.withLock { longest in
            defer { longest = .zero }
            return longest
        }
    }

    private func timed<Value>(
        _ connection: any SQLConnection, _ body: (any SQLConnection) throws -> Value
    ) throws -> Value {
        let start = ContinuousClock.now
        defer {
            let time = ContinuousClock.now - start
            longest.withLock { $0 = max($0, time) }
        }
        return try body(connection)
    }

    /// A connection of its own for a thread that the caller owns; each of its statements outside `transaction` commits alone.
    package func makeConfinedConnection(writable: Bool, cacheKibibytes: Int? = nil) throws(StorageFault) -> any SQLConnection {
        try confinedConnection(writable: writable, cacheKibibytes: cacheKibibytes)
    }

    func confinedConnection(writable: Bool, cacheKibibytes: Int? = nil) throws(StorageFault) -> SQLiteConnection {
        var options = options
        if let cacheKibibytes { options.cacheKibibytes = cacheKibibytes }
        return try SQLiteConnection(path: path, writable: writable, options: options)
    }

    /// Brings the write-ahead log into the file and empties it, as far as readers let it; between writes, on the writing thread.
    /// Blocks.
    package func checkpoint() throws {
        let answer = Answer<Void>()
        guard
            writer.enqueue({ connection in answer.put(Result { _ = try connection.pragma("PRAGMA wal_checkpoint(TRUNCATE)") }) })
        else {
            throw StorageFault.closed
        }
        try answer.take().get()
    }

    /// Lets what is queued finish, then closes every connection; afterwards each call is `.closed`. Blocks; called once.
    package func close() {
        readers.stop()
        // The last connection to close brings the write-ahead log into the file.
        writer.stop()
    }

    private func run<Value: Sendable>(
        on threads: ConnectionThreads, _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) async throws -> Value {
        let isWriting = threads === writer
        return try await withCheckedThrowingContinuation { continuation in
            let accepted = threads.enqueue { [self] connection in
                continuation.resume(with: transact(connection, isWriting, body))
            }
            if !accepted { continuation.resume(throwing: StorageFault.closed) }
        }
    }

    private func runSync<Value: Sendable>(
        on threads: ConnectionThreads, _ body: @escaping @Sendable (any SQLConnection) throws -> Value
    ) throws -> Value {
        let isWriting = threads === writer
        let answer = Answer<Value>()
        let accepted = threads.enqueue { [self] connection in answer.put(transact(connection, isWriting, body)) }
        guard accepted else { throw StorageFault.closed }
        return try answer.take().get()
    }

    /// One transaction on a thread of this database's; one that writes is counted before its caller goes on.
    private func transact<Value>(
        _ connection: SQLiteConnection, _ isWriting: Bool, _ body: (any SQLConnection) throws -> Value
    ) -> Result<Value, any Error> {
        guard isWriting else { return Result { try connection.transaction { try body(connection) } } }
        let witness = witness.withLock { $0 }
        let result = Result { try connection.transaction(witnessedBy: witness) { try body(connection) } }
        commits.add()
        return result
    }

    private static func createFile(at path: String) throws(StorageFault) {
        let file = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw .system(errno) }
        Glibc.close(file)
    }
}

/// How a database is opened.
package struct DatabaseOptions: Sendable {
    /// Reading threads.
    package var readers = 2
    /// Page cache of each connection at most.
    package var cacheKibibytes = 8 * 1024
    /// How long a statement waits for another connection's lock.
    package var busyTime: Duration = .seconds(5)
    /// Changes nothing, not even the journal mode: for looking at a database that may be in use.
    package var isReadOnly = false

    /// The name of SQLite's file system, for tests; nil for the system's.
    var fileSystem: String?

    package init() {}

    var busyMilliseconds: Int32 {
        let (seconds, attoseconds) = busyTime.components
        return Int32(clamping: min(max(0, seconds), 3600) * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}

/// The answer of a job for a thread that waits for it.
private final class Answer<Value: Sendable>: Sendable {
    private let value = Mutex<Result<Value, any Error>?>(nil)
    private let arrived = Signal()

    func put(_ result: Result<Value, any Error>) {
        value.withLock { $0 = result }
        arrived.raise()
    }

    func take() -> Result<Value, any Error> {
        arrived.wait()
        return value.withLock { $0 } ?? .failure(StorageFault.closed)
    }
}
