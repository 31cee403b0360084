internal import Foundation
internal import Glibc
internal import Synchronization

/// Carries bytes between clients and a server on this machine, until a client sends the bytes at which it is to cut the connection.
package final class CuttingProxy: Sendable {
    package enum Cut: Sendable, CaseIterable {
        /// The server never sees them.
        case before
        /// The server sees them and answers; the answer is lost.
        case after
        /// The server sees them; nothing comes back, and the connection stays.
        case silence
    }

    package let port: UInt16
    private let listener: Descriptor
    private let cuts = Counter()
    private let armed = Switch(true)

    package init(to server: UInt16, at mark: String, _ cut: Cut) throws {
        let descriptor = Descriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        var address = Self.loopback(0)
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
        let sign = Array(mark.utf8)
        let (cuts, armed) = (cuts, armed)
        Thread.detachNewThread {
            while true {
                let number = accept(descriptor.number, nil, nil)
                guard number >= 0 else { return }
                let client = Descriptor(number)
                guard let far = Self.connect(to: server) else { continue }
                let isMuted = Switch(false)
                Thread.detachNewThread {
                    Self.carry(client, far, sign) { block in
                        guard armed.value else {
                            try? far.send(block)
                            return true
                        }
                        cuts.add()
                        if cut != .before {
                            isMuted.set(true)
                            try? far.send(block)
                        }
                        if cut == .after { usleep(500_000) }
                        return cut == .silence
                    }
                    if cut != .silence || !isMuted.value { Self.end(client, far) }
                }
                Thread.detachNewThread {
                    Self.carry(far, client, [], isMuted) { _ in true }
                    if !isMuted.value { Self.end(client, far) }
                }
            }
        }
    }

    deinit { shutdown(listener.number, Int32(SHUT_RDWR)) }

    /// Whether it cuts at all; what it carries while it does not is carried whole.
    package func arm(_ isArmed: Bool) { armed.set(isArmed) }

    /// How often it has cut.
    package var count: Int { cuts.value }

    private final class Counter: Sendable {
        private let state = Mutex(0)
        var value: Int { state.withLock { $0 } }
        func add() { state.withLock { $0 += 1 } }
    }

    private final class Switch: Sendable {
        private let state: Mutex<Bool>
        init(_ value: Bool) { state = Mutex(value) }
        var value: Bool { state.withLock { $0 } }
        func set(_ value: Bool) { state.withLock { $0 = value } }
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func connect(to port: UInt16) -> Descriptor? {
        let far = Descriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        var address = loopback(port)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                Glibc.connect(far.number, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        return isConnected ? far : nil
    }

    private static func end(_ one: Descriptor, _ other: Descriptor) {
        shutdown(one.number, Int32(SHUT_RDWR))
        shutdown(other.number, Int32(SHUT_RDWR))
    }

    /// Carries until an end; at the mark asks whether to go on without having carried it.
    private static func carry(
        _ from: Descriptor, _ to: Descriptor, _ mark: [UInt8], _ isMuted: Switch? = nil, _ atMark: ([UInt8]) -> Bool
    ) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(from.number, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            let block = Array(buffer[..<count])
            if !mark.isEmpty, block.indices.contains(where: { block[$0...].starts(with: mark) }) {
                guard atMark(block) else { return }
                continue
            }
            if isMuted?.value == true { continue }
            guard (try? to.send(block)) != nil else { return }
        }
    }
}
