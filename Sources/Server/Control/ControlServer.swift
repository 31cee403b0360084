internal import Cryptography
internal import Dispatch
internal import Glibc
package import Logging
internal import Synchronization

/// The control socket: takes commands from the operator at the machine, one a connection, and refuses every other user.
///
/// Connections are few. When there are more, the one that has kept silent longest makes room, so that nobody who only holds
/// connections open keeps the operator out.
///
/// Whoever runs as the server's user, or as root, can read its memory anyway; nobody else gets a word out of it.
package final class ControlServer: Sendable {
    /// What a connection may cost.
    package struct Limits: Sendable {
        package var connections = 16
        /// From the connection to the end of its request, and for taking the answer.
        package var deadline: Duration = .seconds(5)

        package init() {}
    }

    private let path: String
    private let desk: ControlDesk
    private let limits: Limits
    private let logger: Logger
    private let listening: Int32
    /// A byte in it ends the accept loop.
    private let wake: (read: Int32, write: Int32)
    private let open = Atomic<Int>(0)
    /// Connections whose request is awaited, the oldest first.
    private let silent = Mutex<[Int32]>([])
    private let hasStopped = Atomic(false)
    private let accepting = DispatchQueue(label: "keyturn.control")
    private let talking = DispatchQueue(label: "keyturn.control.connections", attributes: .concurrent)

    /// Binds the socket; the data directory's lock is held.
    package init(path: String, desk: ControlDesk, limits: Limits = Limits(), logger: Logger) throws(ControlFault) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw LocalSocket.system("pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        wake = (ends[0], ends[1])
        self.path = path
        self.desk = desk
        self.limits = limits
        self.logger = logger
        do throws(ControlFault) {
            listening = try LocalSocket.listen(at: path).release()
        } catch {
            close(wake.read)
            close(wake.write)
            throw error
        }
    }

    deinit {
        close(listening)
        close(wake.read)
        close(wake.write)
    }

    /// Starts taking connections, on a thread of its own.
    package func start() {
        accepting.async { self.acceptAll() }
    }

    /// Takes no more connections and removes the socket; commands under way finish.
    package func stop() {
        guard !hasStopped.exchange(true, ordering: .acquiringAndReleasing) else { return }
        unlink(path)
        _ = Glibc.write(wake.write, [0], 1)
    }

    private func acceptAll() {
        while !hasStopped.load(ordering: .acquiring) {
            var entries = [
                pollfd(fd: listening, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&entries, nfds_t(entries.count), -1)
            guard count > 0, entries[0].revents != 0, !hasStopped.load(ordering: .acquiring) else { continue }
            let descriptor = accept(listening, nil, nil)
            guard descriptor >= 0 else {
                // Out of descriptors: not in a tight loop.
                usleep(50_000)
                continue
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            guard open.load(ordering: .relaxed) < limits.connections || endOldestSilent() else {
                close(descriptor)
                continue
            }
            open.wrappingAdd(1, ordering: .relaxed)
            silent.withLock { $0.append(descriptor) }
            talking.async { self.talk(.adopt(descriptor)) }
        }
    }

    /// Ends the connection that has been silent longest; whoever reads from it finds its end and gives its place back. False where all
    /// have their commands under way.
    private func endOldestSilent() -> Bool {
        silent.withLock { silent in
            guard !silent.isEmpty else { return false }
            // Its descriptor stays its own until it is out of this list.
            shutdown(silent.removeFirst(), Int32(SHUT_RDWR))
            return true
        }
    }

    /// The request of a connection has come, or never will.
    private func isHeard(_ descriptor: Int32) {
        silent.withLock { silent in silent.removeAll { $0 == descriptor } }
    }

    /// Reads the request, blocking; its command runs in a task, and the answer is written blocking again.
    private func talk(_ socket: consuming LocalSocket) {
        let user = socket.peerUser
        guard let user, user == geteuid() || user == 0 else {
            isHeard(socket.descriptor)
            let name = user.map { OperatorName.name(of: $0) } ?? "unknown"
            logger.warning("a stranger on the control socket was refused", metadata: ["user": "\(name)"])
            return finish(socket.release()) { [desk] in
                await desk.refuse(name, "not the server's user")
                return nil
            }
        }
        let name = OperatorName.name(of: user)
        let received = socket.readLine(limit: ControlCommand.byteLimit, within: limits.deadline)
        isHeard(socket.descriptor)
        let line: Secret
        switch consume received {
        case .line(let received): line = received
        // Somebody looked whether a server is there.
        case .nothing: return finish(socket.release()) { nil }
        case .noLine:
            return finish(socket.release()) { [desk] in
                await desk.refuse(name, "no whole request within the limits")
                return .failed(code: ControlFault.malformed.code, detail: ControlFault.malformed.description)
            }
        }
        let request = line.withBytes { bytes in
            Swift.Result { () throws(ControlFault) in try ControlCommand(reading: bytes) }
        }
        finish(socket.release()) { [desk, logger] in
            switch request {
            case .success(let command):
                logger.info("operator command", metadata: ["command": "\(command.name)", "user": "\(name)"])
                return await desk.perform(command, for: name)
            case .failure(let fault):
                await desk.refuse(name, fault.description)
                return .failed(code: fault.code, detail: fault.description)
            }
        }
    }

    private func finish(_ descriptor: Int32, _ act: @escaping @Sendable () async -> ControlAnswer?) {
        Task { [talking, limits] in
            let answer = await act()
            talking.async {
                let socket = LocalSocket.adopt(descriptor)
                if let answer { _ = answer.line.withUnsafeBytes { socket.write($0, within: limits.deadline) } }
                self.open.wrappingSubtract(1, ordering: .relaxed)
            }
        }
    }
}
