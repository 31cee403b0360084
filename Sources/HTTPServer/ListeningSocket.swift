import Glibc

/// A bound, listening TCP socket; closed with its last holder.
final class ListeningSocket: Sendable {
    let descriptor: Int32
    let port: UInt16

    /// Binds one socket a loop to the same address; the kernel spreads connections over them.
    static func bind(host: String, port: UInt16, count: Int) throws(ListenerError) -> [ListeningSocket] {
        // Sharing the port lets any process of the same user in beside us: look first whether it is taken.
        let probe = try ListeningSocket(host: host, port: port, shares: false)
        guard count > 1 else { return [probe] }
        let chosen = probe.port
        _ = consume probe
        var sockets: [ListeningSocket] = []
        for _ in 0..<count { sockets.append(try ListeningSocket(host: host, port: chosen, shares: true)) }
        return sockets
    }

    private init(host: String, port: UInt16, shares: Bool) throws(ListenerError) {
        var storage = sockaddr_storage()
        guard let length = Self.fill(&storage, host: host, port: port) else { throw .badAddress(host) }
        let family = Int32(storage.ss_family)
        let opened = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard opened >= 0 else { throw .system(operation: "socket", code: errno) }
        do throws(ListenerError) {
            try Self.set(opened, SOL_SOCKET, SO_REUSEADDR, 1)
            if shares { try Self.set(opened, SOL_SOCKET, SO_REUSEPORT, 1) }
            // Accepted sockets inherit it: without it the first answer on a new connection waits for a delayed acknowledgement.
            try Self.set(opened, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
            if family == AF_INET6 { try Self.set(opened, Int32(IPPROTO_IPV6), IPV6_V6ONLY, host == "::" ? 0 : 1) }
            let bound = withUnsafePointer(to: &storage) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(opened, $0, length) }
            }
            guard bound == 0 else { throw .system(operation: "binding \(host) port \(port)", code: errno) }
            guard listen(opened, 4096) == 0 else { throw .system(operation: "listening on \(host) port \(port)", code: errno) }
            self.port = try Self.boundPort(opened)
        } catch {
            close(opened)
            throw error
        }
        descriptor = opened
    }

    deinit {
        close(descriptor)
    }

    private static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) throws(ListenerError) {
        var value = value
        guard setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw .system(operation: "setsockopt", code: errno)
        }
    }

    private static func fill(_ storage: inout sockaddr_storage, host: String, port: UInt16) -> socklen_t? {
        withUnsafeMutableBytes(of: &storage) { raw in
            var four = sockaddr_in()
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            if inet_pton(AF_INET, host, &four.sin_addr) == 1 {
                raw.storeBytes(of: four, as: sockaddr_in.self)
                return socklen_t(MemoryLayout<sockaddr_in>.size)
            }
            var six = sockaddr_in6()
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            guard inet_pton(AF_INET6, host, &six.sin6_addr) == 1 else { return nil }
            raw.storeBytes(of: six, as: sockaddr_in6.self)
            return socklen_t(MemoryLayout<sockaddr_in6>.size)
        }
    }

    private static func boundPort(_ socket: Int32) throws(ListenerError) -> UInt16 {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        guard code == 0 else { throw .system(operation: "getsockname", code: errno) }
        // The port stands at the same place for both families.
        return withUnsafeBytes(of: storage) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
    }
}

/// The system's text for an error number.
func systemText(_ code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
}
