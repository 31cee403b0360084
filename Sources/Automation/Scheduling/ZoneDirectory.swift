package import Domain
internal import Glibc
internal import Synchronization

/// The system's database of time zones: a file a zone, read when it is asked for and again when it has changed.
package final class ZoneDirectory: Sendable {
    private struct Kept {
        let stamp: Stamp
        let rules: ZoneRules
    }

    /// What tells that a file is no longer the one that was read.
    private struct Stamp: Equatable {
        let file: UInt64
        let size: Int64
        let seconds: Int
    }

    private static let largestFile = 256 << 10
    private let path: String
    private let kept = Mutex<[ZoneName: Kept]>([:])

    package init(path: String = "/usr/share/zoneinfo") { self.path = path }

    /// The rules of a zone; nil if the database has none of that name, or nothing that can be read. UTC is always there.
    package func rules(of name: ZoneName) -> ZoneRules? {
        if name == .utc { return .utc }
        let file = open(path + "/" + name.description, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= Self.largestFile else {
            return nil
        }
        let stamp = Stamp(file: UInt64(status.st_ino), size: Int64(status.st_size), seconds: status.st_mtim.tv_sec)
        if let known = kept.withLock({ $0[name] }), known.stamp == stamp { return known.rules }
        guard let bytes = Self.read(file), let rules = try? ZoneRules(file: bytes) else { return nil }
        kept.withLock { $0[name] = Kept(stamp: stamp, rules: rules) }
        return rules
    }

    /// The rules of a task's zone.
    package func rules(of timing: TaskTiming) -> ZoneRules? { ZoneName(timing.zone).flatMap { rules(of: $0) } }

    private static func read(_ file: Int32) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count <= largestFile {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
        return nil
    }
}
