internal import Glibc
package import Logging
internal import Synchronization

/// Where all log lines go: standard error, one write a line, in one format, from one level on that can be changed while it runs.
package final class LineLog: Sendable {
    /// A line is cut here: no request may fill the disk by what it says.
    static let byteLimit = 8 << 10

    private let format: LogFormat
    private let descriptor: Int32
    private let threshold: Atomic<Int>
    private let now: @Sendable () -> timespec

    /// The descriptor stays the caller's.
    package convenience init(format: LogFormat, level: LogLevel, descriptor: Int32 = STDERR_FILENO) {
        self.init(format: format, level: level, descriptor: descriptor) {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return time
        }
    }

    init(format: LogFormat, level: LogLevel, descriptor: Int32, now: @escaping @Sendable () -> timespec) {
        self.format = format
        self.descriptor = descriptor
        self.now = now
        threshold = Atomic(Self.rank(level.level))
    }

    package func setLevel(_ level: LogLevel) { threshold.store(Self.rank(level.level), ordering: .relaxed) }

    /// A logger that writes here. `LoggingSystem.bootstrap { log.handler(label: $0) }` makes it everybody's.
    package func logger(_ label: String) -> Logger { Logger(label: label) { self.handler(label: $0) } }

    package func handler(label: String) -> any LogHandler { LineLogHandler(log: self, label: label) }

    var level: Logger.Level {
        Logger.Level.allCases[min(max(threshold.load(ordering: .relaxed), 0), Logger.Level.allCases.count - 1)]
    }

    private static func rank(_ level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 0 }

    func write(_ level: Logger.Level, _ label: String, _ message: String, _ metadata: [(String, String)]) {
        let line = LogLine(time: now(), level: level, label: label, message: message, metadata: metadata)
        var bytes = line.bytes(format, limit: Self.byteLimit)
        bytes.append(UInt8(ascii: "\n"))
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            // Whoever reads the log is gone: there is nobody to tell.
            guard count > 0 else { return }
            sent += count
        }
    }
}

/// One logger's side of it: its label, metadata, and a level of its own if it was given one.
private struct LineLogHandler: LogHandler {
    let log: LineLog
    let label: String
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private var ownLevel: Logger.Level?

    init(log: LineLog, label: String) {
        self.log = log
        self.label = label
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? log.level }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        log.write(event.level, label, "\(event.message)", all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") })
    }
}
