import Glibc
import Synchronization

/// Ports of the loopback interface on which nobody listens at the moment.
package enum FreePort {
    /// What was given once is not given again: two servers that are yet to start must not get the same.
    private static let given = Mutex<Set<UInt16>>([])

    /// Out of a range below the one from which the system takes ports for outgoing connections, which come at any moment. Another process
    /// may take the port before the caller does all the same.
    package static func any() throws(ProgramFault) -> UInt16 {
        for _ in 0..<1_000 {
            let port = UInt16.random(in: range)
            guard given.withLock({ $0.insert(port).inserted }) else { continue }
            if try isFree(port) { return port }
        }
        throw .system("bind", EADDRINUSE)
    }

    private static let range: Range<UInt16> = {
        let file = try? Descriptor.open("/proc/sys/net/ipv4/ip_local_port_range", O_RDONLY | O_CLOEXEC)
        let text = String(decoding: (try? file?.readAll()) ?? [], as: UTF8.self)
        let first = text.split(whereSeparator: { $0 == "\t" || $0 == " " }).first.flatMap { UInt16($0) } ?? 32_768
        // Where the system takes its own from almost everywhere, no range is better than another.
        return 10_000..<(first > 12_000 ? min(first, 32_000) : 32_000)
    }()

    private static func isFree(_ port: UInt16) throws(ProgramFault) -> Bool {
        let descriptor = Descriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        guard descriptor.number >= 0 else { throw .system("socket", errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}
