internal import CSSHShim
internal import Glibc

/// A listening socket on 127.0.0.1 and a port that the system chose.
enum LoopbackListener {
    static func open() throws(SSHFault) -> (Descriptor, port: Int) {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let number = socket(AF_INET, kind, 0)
        guard number >= 0 else { throw .system("socket") }
        let descriptor = Descriptor(number)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isReady = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(number, generic, length) == 0 && listen(number, 8) == 0 && getsockname(number, generic, &length) == 0
            }
        }
        guard isReady else { throw .system("listen") }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// The two ends of a connected IPv4 socket, ours first; nil if it is none.
    static func ends(of number: Int32) -> (near: [UInt8], far: [UInt8])? {
        func end(_ ask: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) -> [UInt8]? {
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let code = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { ask($0, &length) }
            }
            guard code == 0, address.sin_family == sa_family_t(AF_INET) else { return nil }
            return withUnsafeBytes(of: address.sin_addr) { Array($0) } + withUnsafeBytes(of: address.sin_port) { Array($0) }
        }
        guard let near = end({ getsockname(number, $0, $1) }), let far = end({ getpeername(number, $0, $1) }) else { return nil }
        return (near, far)
    }

    /// Whether the other end of an accepted connection is a socket of this process.
    ///
    /// The kernel keeps no process with a TCP connection; but if the other end is ours, one of our descriptors is it.
    static func isOurOwn(_ accepted: Descriptor) -> Bool {
        guard let ends = ends(of: accepted.number), let directory = opendir("/proc/self/fd") else { return false }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard let number = Int32(name), number != accepted.number, let other = Self.ends(of: number) else { continue }
            if other.near == ends.far, other.far == ends.near { return true }
        }
        return false
    }
}

/// Takes one connection of our own process and carries its bytes to a socket that leads far away.
final class LoopbackRelay: Sendable {
    private let listener: Descriptor
    private let far: Descriptor

    init(listener: Descriptor, far: Descriptor) {
        self.listener = listener
        self.far = far
    }

    func run() {
        defer { far.shutDown() }
        guard let near = accept() else { return }
        listener.shutDown()
        near.makeNonBlocking()
        var relay = Relay(near, far)
        relay.run()
    }

    /// Ends when the listener is shut down, or the far side has gone.
    private func accept() -> Descriptor? {
        while true {
            let ready = Poll.wait([.init(listener, reads: true)], milliseconds: 60_000)
            let number = kssh_accept(listener.number)
            if number >= 0 {
                let near = Descriptor(number)
                if LoopbackListener.isOurOwn(near) { return near }
                continue
            }
            // A listener that was shut down is ready and has nothing to accept: EINVAL.
            if ready[0], errno != EAGAIN, errno != EINTR, errno != ECONNABORTED { return nil }
        }
    }
}
