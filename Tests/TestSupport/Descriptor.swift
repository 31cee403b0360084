import Glibc
import Synchronization

/// A file descriptor that closes itself, and that no program inherits unless it is given to it.
final class Descriptor: Sendable {
    let number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(ProgramFault) -> Descriptor {
        let number = Glibc.open(path, flags, mode)
        guard number >= 0 else { throw .system("open \(path)", errno) }
        return Descriptor(number)
    }

    static func pipe() throws(ProgramFault) -> (read: Descriptor, write: Descriptor) {
        _ = ignoringBrokenPipes
        // `pipe2` is not imported. A program that is started between the two calls would keep the pipe open for ever.
        let (ends, code) = Spawn.lock.withLock { _ in
            var ends: [Int32] = [-1, -1]
            guard Glibc.pipe(&ends) == 0 else { return (ends, errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return (ends, 0)
        }
        guard code == 0 else { throw .system("pipe", code) }
        return (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    /// A file without a name, which goes when it is closed.
    static func unnamed() throws(ProgramFault) -> Descriptor {
        let (number, code) = Spawn.lock.withLock { _ in
            var template = Array("/tmp/keyturn-output-XXXXXX".utf8CString)
            let number = mkstemp(&template)
            guard number >= 0 else { return (number, errno) }
            unlink(template)
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            return (number, 0)
        }
        guard code == 0 else { throw .system("mkstemp", code) }
        return Descriptor(number)
    }

    /// A program that ends before it has read its input is no reason to end the tests.
    private static let ignoringBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    func write(_ bytes: [UInt8]) throws(ProgramFault) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .system("write", errno) }
            written += count
        }
    }

    /// To a socket; a peer that is gone is an error and no signal.
    func send(_ bytes: [UInt8]) throws(ProgramFault) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .system("send", errno) }
            sent += count
        }
    }

    /// From the beginning of the file to where its end is now, wherever its own position is.
    func readAll() throws(ProgramFault) -> [UInt8] {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = buffer.withUnsafeMutableBytes { pread(number, $0.baseAddress, $0.count, content.count) }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw .system("pread", errno) }
            guard count > 0 else { return content }
            content += buffer[..<count]
        }
    }
}
