internal import Dispatch
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
        /// The client loses its connection, and the server sees them when `release` is called.
        case late
    }

    package let port: UInt16
    private let listener: Descriptor
    private let lines = Lines()

    /// - Parameters:
    ///   - marks: The bytes at which it cuts, whichever come; none where they cannot be seen, and somebody else says when.
    ///   - cut: What it does each time from the beginning; nil to carry everything until it is armed.
    package init(to server: UInt16, at marks: [String] = [], _ cut: Cut? = nil) throws {
        let descriptor = Descriptor(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor.number, generic, length) == 0 && listen(descriptor.number, 64) == 0
                    && getsockname(descriptor.number, generic, &length) == 0
            }
        }
        guard isBound else { throw ProgramFault.system("bind", errno) }
        port = UInt16(bigEndian: address.sin_port)
        listener = descriptor
        let (signs, lines) = (marks.map { Array($0.utf8) }, lines)
        lines.arm(cut, .max)
        Thread.detachNewThread {
            while true {
                let number = accept(descriptor.number, nil, nil)
                if number < 0, errno == EINTR || errno == ECONNABORTED { continue }
                guard number >= 0 else { return }
                let client = Descriptor(number)
                guard let far = Self.connect(to: server) else { continue }
                let line = Line(client, far, from: Self.port(of: far))
                if !lines.add(line) { line.end() }
                Thread.detachNewThread {
                    line.carryThere(signs, lines)
                    lines.remove(line)
                }
                Thread.detachNewThread { line.carryBack() }
            }
        }
    }

    deinit { shutdown(listener.number, Int32(SHUT_RDWR)) }

    /// From now on it does this at the mark, so many times; nil to carry everything.
    package func arm(_ cut: Cut?, times: Int = .max) { lines.arm(cut, times) }

    /// How often it has cut.
    package var count: Int { lines.count }

    /// Sends the server what it held back, and waits until it has answered.
    package func release() async throws {
        let lines = lines
        try await onOwnThread { lines.release() }
    }

    // MARK: - Where the bytes cannot be seen

    /// What is to be done at this instant with a connection, if anything.
    package func next() -> Cut? { lines.next() }

    /// Ends the connection that comes to the server from this port.
    package func end(from port: UInt16) { lines.line(from: port)?.end() }

    /// Ends every connection that there is, and each that comes until it reopens: one that a client takes for made may have yet to be
    /// taken up here.
    package func close() { for line in lines.close() { line.end() } }

    /// Carries what comes from now on.
    package func reopen() { lines.reopen() }

    /// Lets nothing through any more on the connection that comes to the server from this port; it stays.
    package func mute(from port: UInt16) { lines.line(from: port)?.mute() }

    // MARK: - Sockets

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

    private static func port(of socket: Descriptor) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket.number, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }
}

/// All connections of a proxy, and what is to be done with them.
private final class Lines: Sendable {
    private struct State {
        var lines: [UInt16: Line] = [:]
        var isClosed = false
        var cut: CuttingProxy.Cut?
        var left = 0
        var count = 0
        var held: [(line: Line, block: [UInt8])] = []
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }

    /// False if the proxy is closed.
    func add(_ line: Line) -> Bool {
        state.withLock { state in
            state.lines[line.from] = line
            return !state.isClosed
        }
    }
    func remove(_ line: Line) { state.withLock { if $0.lines[line.from] === line { $0.lines[line.from] = nil } } }
    /// All that there are.
    func close() -> [Line] {
        state.withLock { state in
            state.isClosed = true
            return Array(state.lines.values)
        }
    }

    func reopen() { state.withLock { $0.isClosed = false } }

    func line(from port: UInt16) -> Line? { state.withLock { $0.lines[port] } }

    func arm(_ cut: CuttingProxy.Cut?, _ times: Int) { state.withLock { ($0.cut, $0.left) = (cut, times) } }

    func next() -> CuttingProxy.Cut? {
        state.withLock { state in
            guard let cut = state.cut, state.left > 0 else { return nil }
            state.left -= 1
            state.count += 1
            return cut
        }
    }

    func hold(_ block: [UInt8], on line: Line) { state.withLock { $0.held.append((line, block)) } }

    func release() {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for (line, block) in held {
            line.sendThere(block)
            line.waitForAnswer()
            line.end()
        }
    }
}

/// One connection: a client's and the proxy's own to the server.
private final class Line: Sendable {
    /// The port from which it comes to the server.
    let from: UInt16
    private let client: Descriptor
    private let far: Descriptor
    private let isMuted = Mutex(false)
    /// Counts what the server sends while nothing is carried back, and its end.
    private let unheard = DispatchSemaphore(value: 0)

    init(_ client: Descriptor, _ far: Descriptor, from: UInt16) {
        self.client = client
        self.far = far
        self.from = from
    }

    func mute() { isMuted.withLock { $0 = true } }

    func end() {
        shutdown(client.number, Int32(SHUT_RDWR))
        shutdown(far.number, Int32(SHUT_RDWR))
    }

    func sendThere(_ block: [UInt8]) { try? far.send(block) }

    /// Until the server has said something that is not carried back, or is gone: it has seen what it was sent last.
    func waitForAnswer() { _ = unheard.wait(timeout: .now() + 60) }

    /// Until the client or somebody else ends it.
    func carryThere(_ marks: [[UInt8]], _ lines: Lines) {
        while let block = receive(from: client) {
            guard marks.contains(where: { Self.has($0, in: block) }), let cut = lines.next() else {
                if isMuted.withLock({ $0 }) { continue }
                guard (try? far.send(block)) != nil else { break }
                continue
            }
            if cut == .late {
                mute()
                lines.hold(block, on: self)
                shutdown(client.number, Int32(SHUT_RDWR))
                // The server's side stays open until then.
                return
            }
            guard cut != .before else { break }
            mute()
            sendThere(block)
            guard cut == .silence else {
                waitForAnswer()
                break
            }
        }
        end()
    }

    private static func has(_ mark: [UInt8], in block: [UInt8]) -> Bool {
        block.indices.contains { block[$0...].starts(with: mark) }
    }

    /// Until the server ends it; a silent one stays all the same.
    func carryBack() {
        while let block = receive(from: far) {
            if isMuted.withLock({ $0 }) {
                unheard.signal()
                continue
            }
            guard (try? client.send(block)) != nil else { break }
        }
        unheard.signal()
        if !isMuted.withLock({ $0 }) { end() }
    }

    private func receive(from descriptor: Descriptor) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor.number, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }
}
