internal import CSSH
internal import CSSHShim
internal import Cryptography
internal import Glibc
internal import Threads

/// An SSH connection that libssh2 speaks. Calls come one at a time; only `interrupt` may come at any time.
// `@unchecked Sendable`: the handle and the wire are used by one thread at a time, which `SSHSession` or the pump sees to, and the
// descriptor may be shut down by any.
final class LibrarySession: Transport, @unchecked Sendable {
    /// Bytes that a host may send until it has let us in: key exchange and login take some ten thousand.
    static let loginAllowance: Int64 = 1 << 20
    /// What a channel may carry before we have read it.
    static let window: UInt32 = 512 * 1024

    let handle: OpaquePointer
    let wire: UnsafeMutablePointer<kssh_wire>
    let descriptor: Descriptor
    private let interruption: Interruption?
    private let stop: UInt64?
    private(set) var hostKey = ""
    var authenticatedBy = ""
    /// Whether the password may have left, or the key was named.
    var hasOfferedSecret = false

    private static let isReady = libssh2_init(0) == 0

    private init(_ descriptor: Descriptor, interruption: Interruption?) throws(SSHFault) {
        guard Self.isReady else { throw SSHFault(.localFailure, words: "libssh2 does not start") }
        let wire = UnsafeMutablePointer<kssh_wire>.allocate(capacity: 1)
        wire.initialize(to: kssh_wire())
        wire.pointee.allowance = Self.loginAllowance
        guard let handle = kssh_session_create(wire) else {
            wire.deallocate()
            throw SSHFault(.localFailure, words: "no memory for an SSH session")
        }
        descriptor.makeNonBlocking()
        self.wire = wire
        self.handle = handle
        self.descriptor = descriptor
        self.interruption = interruption
        stop = interruption?.onFire { descriptor.shutDown() }
    }

    deinit {
        if let stop { interruption?.forget(stop) }
        descriptor.shutDown()
        libssh2_session_free(handle)
        wire.deinitialize(count: 1)
        wire.deallocate()
    }

    /// Exchanges keys, after which the host has proved that it has its host key. Nothing of the login has been sent.
    static func greet(
        _ descriptor: Descriptor, hostKeys: [HostKeyType], _ deadline: Deadline, interruption: Interruption?
    ) throws(SSHFault) -> LibrarySession {
        let session = try LibrarySession(descriptor, interruption: interruption)
        kssh_wire_limit(session.wire, deadline.nanoseconds)
        try session.exchangeKeys(hostKeys, deadline)
        return session
    }

    private func exchangeKeys(_ hostKeys: [HostKeyType], _ deadline: Deadline) throws(SSHFault) {
        try prefer(
            LIBSSH2_METHOD_KEX,
            "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
                + "diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256,"
                + "diffie-hellman-group-exchange-sha256")
        try prefer(LIBSSH2_METHOD_HOSTKEY, hostKeys.map(\.algorithms).joined(separator: ","))
        for method in [LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC] {
            try prefer(method, "aes256-ctr,aes192-ctr,aes128-ctr")
        }
        for method in [LIBSSH2_METHOD_MAC_CS, LIBSSH2_METHOD_MAC_SC] { try prefer(method, "hmac-sha2-256,hmac-sha2-512") }
        try complete(deadline) { libssh2_session_handshake(handle, descriptor.number) }
        guard let digest = libssh2_hostkey_hash(handle, LIBSSH2_HOSTKEY_HASH_SHA256) else {
            throw SSHFault(.protocolError, words: "the host showed no key")
        }
        hostKey = Fingerprint.text(of: UnsafeRawBufferPointer(start: digest, count: SHA256.byteCount))
    }

    private func prefer(_ method: Int32, _ names: String) throws(SSHFault) {
        let code = libssh2_session_method_pref(handle, method, names)
        guard code == 0 else { throw fault(code) }
    }

    func start(_ line: String, onTerminal: Bool, _ deadline: Deadline) throws(SSHFault) -> any CommandChannel {
        wire.pointee.received = 0
        wire.pointee.allowance = .max
        kssh_wire_limit(wire, deadline.nanoseconds)
        return try LibraryChannel(self, line: line, onTerminal: onTerminal, deadline)
    }

    func extend(_ deadline: Deadline) { kssh_wire_limit(wire, deadline.nanoseconds) }

    func forward(to host: String, port: Int, _ deadline: Deadline) throws(SSHFault) -> Descriptor {
        wire.pointee.allowance = .max
        kssh_wire_limit(wire, deadline.nanoseconds)
        let channel = try completePointer(deadline) {
            libssh2_channel_direct_tcpip_ex(handle, host, Int32(clamping: port), "127.0.0.1", 0)
        }
        // From here on it carries somebody else's conversation, which has a limit of its own.
        wire.pointee.until = 0
        return try LibraryPump.start(self, channel)
    }

    func interrupt() { descriptor.shutDown() }

    func close() { descriptor.shutDown() }
}

// MARK: - Waiting

extension LibrarySession {
    /// Repeats a call of libssh2 until it is done, waiting for the network between.
    func complete(_ deadline: Deadline, _ call: () -> Int32) throws(SSHFault) {
        while true {
            let code = call()
            if code == 0 { return }
            guard code == LIBSSH2_ERROR_EAGAIN else { throw fault(code) }
            try wait(deadline)
        }
    }

    /// The same for calls that return something.
    func completePointer(_ deadline: Deadline, _ call: () -> OpaquePointer?) throws(SSHFault) -> OpaquePointer {
        while true {
            if let pointer = call() { return pointer }
            let code = libssh2_session_last_errno(handle)
            guard code == LIBSSH2_ERROR_EAGAIN else { throw fault(code) }
            try wait(deadline)
        }
    }

    /// Waits until the socket can do what libssh2 waits for.
    func wait(_ deadline: Deadline) throws(SSHFault) {
        if deadline.hasPassed { throw SSHFault(.timedOut, words: "the host did not answer in time") }
        if interruption?.hasFired == true { throw SSHFault(.interrupted) }
        let directions = libssh2_session_block_directions(handle)
        let reads = directions & LIBSSH2_SESSION_BLOCK_INBOUND != 0
        let writes = directions & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0
        _ = Poll.wait(
            [.init(descriptor, reads: reads || !writes, writes: writes)], milliseconds: deadline.milliseconds)
    }

    var hasBeenInterrupted: Bool { interruption?.hasFired == true }
}
