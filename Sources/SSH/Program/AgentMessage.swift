internal import Cryptography

/// What an SSH agent is asked (draft-miller-ssh-agent; OpenSSH's PROTOCOL.agent), without the length before it.
enum AgentRequest: Equatable {
    case identities
    /// Sign `data` with the key of this blob.
    case sign(blob: [UInt8], data: [UInt8], flags: UInt32)
    /// The client tells over which session, with which host key, it asks.
    case bind(hostKey: [UInt8], session: [UInt8], isForwarding: Bool)
    case other

    /// No message is longer.
    static let limit = 32 * 1024

    /// Nil for what is no message of the protocol.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var reader = SSHWireReader(bytes)
        guard let type = reader.byte() else { return nil }
        switch type {
        case 11: self = .identities
        case 13:
            guard let blob = reader.string(), let data = reader.string(), let flags = reader.word() else { return nil }
            self = .sign(blob: Array(blob), data: Array(data), flags: flags)
        case 27:
            guard let name = reader.name() else { return nil }
            guard name == "session-bind@openssh.com" else {
                self = .other
                return
            }
            guard let hostKey = reader.string(), let session = reader.string(), reader.string() != nil,
                let isForwarding = reader.byte()
            else { return nil }
            self = .bind(hostKey: Array(hostKey), session: Array(session), isForwarding: isForwarding != 0)
        default: self = .other
        }
    }
}

/// What it answers, with the length before it.
enum AgentReply {
    static let failure = frame { $0.byte(5) }
    static let success = frame { $0.byte(6) }

    static func identities(_ key: SSHPublicKey) -> [UInt8] {
        frame { writer in
            writer.byte(12)
            writer.word(1)
            writer.string(key.blob)
            writer.string("keyturn")
        }
    }

    static func signature(_ signature: [UInt8]) -> [UInt8] {
        frame { writer in
            writer.byte(14)
            writer.string(signature)
        }
    }

    private static func frame(_ body: (inout SSHWireWriter) -> Void) -> [UInt8] { WireFrame.make(body) }
}

/// Messages with their length before them, as agent and multiplexer send them.
enum WireFrame {
    static func make(_ body: (inout SSHWireWriter) -> Void) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        let count = bytes.withUnsafeMutableBytes { place in
            var writer = SSHWireWriter(UnsafeMutableRawBufferPointer(rebasing: place[4...]))
            body(&writer)
            var length = SSHWireWriter(UnsafeMutableRawBufferPointer(rebasing: place[..<4]))
            length.word(UInt32(clamping: writer.count))
            return writer.count + 4
        }
        return Array(bytes.prefix(count))
    }

    /// Takes the first whole message out of what was received: nil if there is none yet. Throws where it would be longer than `limit`.
    static func take(from received: inout [UInt8], limit: Int) throws(SSHFault) -> [UInt8]? {
        guard received.count >= 4 else { return nil }
        let length = received.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard length <= limit else { throw SSHFault(.protocolError, words: "a message of \(length) bytes") }
        guard received.count >= 4 + length else { return nil }
        defer { received.removeFirst(4 + length) }
        return Array(received[4..<(4 + length)])
    }
}

/// What a client wants signed to log in (RFC 4252, section 7; PROTOCOL, "publickey-hostbound").
struct LoginRequest: Equatable {
    let session: [UInt8]
    let username: [UInt8]
    let algorithm: String
    let blob: [UInt8]
    /// Present in the form that is bound to a host key.
    let hostKey: [UInt8]?

    /// Nil for anything else than a whole login with a public key.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var reader = SSHWireReader(bytes)
        guard let session = reader.string(), reader.byte() == 50, let username = reader.string(),
            reader.name() == "ssh-connection", let method = reader.name(), reader.byte() == 1, let algorithm = reader.name(),
            let blob = reader.string()
        else { return nil }
        switch method {
        case "publickey": hostKey = nil
        case "publickey-hostbound-v00@openssh.com":
            guard let key = reader.string() else { return nil }
            hostKey = Array(key)
        default: return nil
        }
        guard reader.isAtEnd else { return nil }
        self.session = Array(session)
        self.username = Array(username)
        self.algorithm = algorithm
        self.blob = Array(blob)
    }
}
