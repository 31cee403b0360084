import Foundation
import Glibc

/// A blocking client that writes what it is told and reads answers as they are.
// Unchecked: a test hands it from one blocking step to the next.
final class RawClient: @unchecked Sendable {
    struct Answer: Equatable {
        var status = 0
        var headers: [String: [String]] = [:]
        var body: [UInt8] = []

        var text: String { String(decoding: body, as: UTF8.self) }
        func header(_ name: String) -> String? { headers[name.lowercased()]?.first }
    }

    let descriptor: Int32
    private var buffered: [UInt8] = []

    init?(port: UInt16, receiveBuffer: Int32? = nil) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var timeout = timeval(tv_sec: Self.patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        if var receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, 4)
        }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if code != 0 { return nil }
    }

    /// A client whose bytes go through `openssl s_client`; its process ends with the connection.
    static func overTLS(port: UInt16, options: [String] = ["-quiet", "-no_ign_eof"]) throws -> RawClient {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { throw Missing() }
        let tunnel = Process()
        tunnel.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        tunnel.arguments = ["s_client", "-connect", "127.0.0.1:\(port)"] + options
        let inside = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        tunnel.standardInput = inside
        tunnel.standardOutput = inside
        tunnel.standardError = FileHandle.nullDevice
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        try tunnel.run()
        try inside.close()
        return RawClient(descriptor: ends[0])
    }

    private init(descriptor: Int32) {
        self.descriptor = descriptor
        var timeout = timeval(tv_sec: Self.patience, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Whether anything can be read within a time.
    func hasAnswer(within milliseconds: Int32) -> Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return !buffered.isEmpty || poll(&polled, 1, milliseconds) > 0
    }

    /// Closing resets the connection instead of ending it.
    func resetOnClose() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    func write(_ text: String) { write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return }
            sent += count
        }
    }

    /// Waits until whoever is at the other end has taken everything that was written, so that what is written next comes apart from it.
    func waitUntilTaken() {
        // SIOCOUTQ of unix(7): bytes that nobody has read.
        var left: Int32 = 0
        while ioctl(descriptor, 0x5411, &left) == 0, left > 0 { usleep(1000) }
    }

    func get(_ target: String, _ headers: String = "") {
        write("GET \(target) HTTP/1.1\r\nHost: test\r\n\(headers)\r\n")
    }

    /// How long something that is to come may take, in seconds.
    private static let patience = 60

    /// Reads one answer with a Content-Length or in chunks; nil at the end of the connection, or after a minute.
    func read(withoutBody: Bool = false) -> Answer? {
        var answer = Answer()
        guard let status = line(), let code = Int(status.split(separator: " ").dropFirst().first ?? "") else { return nil }
        answer.status = code
        while let text = line(), !text.isEmpty {
            let parts = text.split(separator: ":", maxSplits: 1)
            let value = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
            answer.headers[parts[0].lowercased(), default: []].append(value)
        }
        if withoutBody || code == 204 { return answer }
        if answer.header("transfer-encoding") == "chunked" {
            while let text = line(), let size = Int(text, radix: 16) {
                guard let part = take(size + 2) else { return nil }
                if size == 0 { return answer }
                answer.body += part.dropLast(2)
            }
            return nil
        }
        guard let body = take(Int(answer.header("content-length") ?? "") ?? 0) else { return nil }
        answer.body = body
        return answer
    }

    /// True when the server ends the connection within a minute; skips what still comes.
    func isEnded() -> Bool {
        while true {
            let count = fill()
            if count == 0 || (count < 0 && errno == ECONNRESET) { return true }
            if count < 0 { return false }
        }
    }

    /// Everything that has come, once it is as wanted; nil if the connection ends before.
    func text(until isWanted: (String) -> Bool) -> String? {
        while true {
            let text = String(decoding: buffered, as: UTF8.self)
            if isWanted(text) { return text }
            if fill() <= 0 { return nil }
        }
    }

    private func line() -> String? {
        while true {
            if let end = buffered.firstIndex(of: 10) {
                var line = Array(buffered[..<end])
                buffered.removeFirst(end + 1)
                if line.last == 13 { line.removeLast() }
                return String(decoding: line, as: UTF8.self)
            }
            if fill() <= 0 { return nil }
        }
    }

    private func take(_ count: Int) -> [UInt8]? {
        while buffered.count < count { if fill() <= 0 { return nil } }
        let taken = Array(buffered.prefix(count))
        buffered.removeFirst(count)
        return taken
    }

    private func fill() -> Int {
        var part = [UInt8](repeating: 0, count: 65536)
        var count = recv(descriptor, &part, part.count, 0)
        // A wait with a limit ends like this when the process was stopped and went on.
        while count < 0, errno == EINTR { count = recv(descriptor, &part, part.count, 0) }
        if count > 0 { buffered += part.prefix(count) }
        return count
    }
}
