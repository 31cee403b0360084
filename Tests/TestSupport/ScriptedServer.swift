internal import Foundation
internal import Glibc
internal import Synchronization

/// A server on a port of the loopback interface that does to its clients what a test says, and remembers what they sent.
package final class ScriptedServer: Sendable {
    package let port: UInt16
    private let listener: Descriptor
    private let heard = Mutex<[UInt8]>([])

    /// - Parameter script: What is done with each client, on a thread of its own. The connection ends with it.
    package init(_ script: @escaping @Sendable (Client) throws -> Void) throws {
        let descriptor = Descriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor.number, generic, length) == 0 && listen(descriptor.number, 8) == 0
                    && getsockname(descriptor.number, generic, &length) == 0
            }
        }
        guard isBound else { throw ProgramFault.system("bind", errno) }
        port = UInt16(bigEndian: address.sin_port)
        listener = descriptor
        Thread.detachNewThread { [weak self] in
            while true {
                let number = accept(descriptor.number, nil, nil)
                guard number >= 0, let self else { return }
                let client = Client(Descriptor(number), self)
                Thread.detachNewThread { try? script(client) }
            }
        }
    }

    deinit { shutdown(listener.number, Int32(SHUT_RDWR)) }

    /// Everything that clients have sent and scripts have read.
    package var received: [UInt8] { heard.withLock { $0 } }

    package struct Client: Sendable {
        private let descriptor: Descriptor
        private weak let server: ScriptedServer?

        fileprivate init(_ descriptor: Descriptor, _ server: ScriptedServer) {
            self.descriptor = descriptor
            self.server = server
        }

        package func send(_ bytes: [UInt8]) throws { try descriptor.send(bytes) }

        /// What is there, at most `limit` bytes; empty at the end.
        @discardableResult
        package func read(_ limit: Int = 65_536) -> [UInt8] {
            var buffer = [UInt8](repeating: 0, count: limit)
            let count = recv(descriptor.number, &buffer, buffer.count, 0)
            guard count > 0 else { return [] }
            server?.heard.withLock { $0 += buffer[..<count] }
            return Array(buffer[..<count])
        }

        /// Reads until the client goes.
        package func readAll() { while !read().isEmpty {} }
    }
}
