internal import Glibc
internal import Synchronization
internal import Threads

/// Opens TCP connections within a limit, name resolution included.
enum Dialing {
    static func connect(to host: String, port: Int, deadline: Deadline, interruption: Interruption?) throws(SSHFault)
        -> Descriptor
    {
        guard (1...65535).contains(port) else { throw SSHFault(.unreachable, words: "there is no port \(port)") }
        var reason = "the name has no address"
        for address in try addresses(of: host, port: port, deadline: deadline) {
            if interruption?.hasFired == true { throw SSHFault(.interrupted) }
            do throws(SSHFault) {
                return try connect(to: address, deadline: deadline, interruption: interruption)
            } catch {
                guard error.kind == .unreachable else { throw error }
                reason = error.words
            }
        }
        throw SSHFault(.unreachable, words: reason)
    }

    struct Address: Sendable {
        let family: Int32
        let bytes: [UInt8]
    }

    private static func connect(to address: Address, deadline: Deadline, interruption: Interruption?) throws(SSHFault)
        -> Descriptor
    {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let number = socket(address.family, kind, 0)
        guard number >= 0 else {
            if errno == EAFNOSUPPORT { throw SSHFault(.unreachable, words: String(cString: strerror(errno))) }
            throw .system("socket")
        }
        let descriptor = Descriptor(number)
        let stop = interruption?.onFire { descriptor.shutDown() }
        defer { if let stop { interruption?.forget(stop) } }
        let code = address.bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return EINVAL }
            let isStarted = Glibc.connect(number, start.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) == 0
            return isStarted ? 0 : errno
        }
        guard code == 0 || code == EINPROGRESS else { throw SSHFault(.unreachable, words: String(cString: strerror(code))) }
        while code != 0 {
            if interruption?.hasFired == true { throw SSHFault(.interrupted) }
            if Poll.wait([.init(descriptor, writes: true)], milliseconds: min(deadline.milliseconds, 1000))[0] { break }
            if deadline.hasPassed { throw SSHFault(.timedOut, words: "no connection") }
        }
        var outcome: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(number, SOL_SOCKET, SO_ERROR, &outcome, &length)
        guard outcome == 0 else {
            if interruption?.hasFired == true { throw SSHFault(.interrupted) }
            throw SSHFault(.unreachable, words: String(cString: strerror(outcome)))
        }
        // Small packets that wait for each other's answers: without this each costs a delayed acknowledgement.
        var on: Int32 = 1
        setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return descriptor
    }

    /// The resolver has no deadline of its own, so it works on a thread that is left to itself when it takes too long.
    static func addresses(of host: String, port: Int, deadline: Deadline) throws(SSHFault) -> [Address] {
        if let numeric = try? lookUp(host, port, flags: AI_NUMERICHOST).get() { return numeric }
        let answer = LookUp()
        let isStarted = startThread { answer.set(lookUp(host, port, flags: AI_ADDRCONFIG)) }
        guard isStarted else { throw SSHFault(.localFailure, words: "no thread for a name to be looked up") }
        while answer.value == nil {
            if deadline.hasPassed { throw SSHFault(.timedOut, words: "the name was not resolved in time") }
            usleep(2000)
        }
        switch answer.value {
        case .success(let addresses)?: return addresses
        case .failure(let fault)?: throw fault
        case nil: throw SSHFault(.localFailure)
        }
    }

    private final class LookUp: Sendable {
        private let outcome = Mutex<Swift.Result<[Address], SSHFault>?>(nil)
        var value: Swift.Result<[Address], SSHFault>? { outcome.withLock { $0 } }
        func set(_ value: Swift.Result<[Address], SSHFault>) { outcome.withLock { $0 = value } }
    }

    private static func lookUp(_ host: String, _ port: Int, flags: Int32) -> Swift.Result<[Address], SSHFault> {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { return .failure(SSHFault(.unreachable, words: String(cString: gai_strerror(code)))) }
        defer { freeaddrinfo(list) }
        var addresses: [Address] = []
        var entry = list
        while let current = entry, addresses.count < 16 {
            let info = current.pointee
            if let address = info.ai_addr {
                let bytes = UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen))
                addresses.append(Address(family: info.ai_family, bytes: Array(bytes)))
            }
            entry = info.ai_next
        }
        return addresses.isEmpty ? .failure(SSHFault(.unreachable, words: "the name has no address")) : .success(addresses)
    }
}
