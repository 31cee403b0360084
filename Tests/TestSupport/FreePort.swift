import Glibc

/// Ports of the loopback interface on which nobody listens at the moment.
package enum FreePort {
    /// Another process may take the port before the caller does; who starts a server on it must be able to try again.
    package static func any() throws(ProgramFault) -> UInt16 {
        let descriptor = Descriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        guard descriptor.number >= 0 else { throw .system("socket", errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor.number, generic, length) == 0 && getsockname(descriptor.number, generic, &length) == 0
            }
        }
        guard bound else { throw .system("bind", errno) }
        return UInt16(bigEndian: address.sin_port)
    }
}
