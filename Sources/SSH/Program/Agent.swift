internal import CSSHShim
internal import Cryptography
internal import Glibc

/// An SSH agent for one login of one `ssh` program: the private key stays in this process and in memory.
///
/// It signs nothing but a login of the expected user with its own key, to a host whose key was accepted, for the one process that was
/// started for it. It has no thread: whoever waits for the program calls `step`.
final class Agent {
    let listener: Descriptor
    private let key: SSHSigningKey
    private let username: [UInt8]
    private let accepts: (_ fingerprint: String) -> Bool
    private var client: Descriptor?
    private var received: [UInt8] = []
    private var boundSession: [UInt8]?
    private var boundHostKey: [UInt8]?
    /// Signatures that were given out.
    private(set) var signatureCount = 0

    init(_ key: SSHSigningKey, username: String, path: String, accepts: @escaping (String) -> Bool) throws(SSHFault) {
        self.key = key
        self.username = Array(username.utf8)
        self.accepts = accepts
        listener = try UnixSocket.listen(path)
    }

    var wishes: [Poll.Wish] {
        [Poll.Wish(listener, reads: true)] + (client.map { [Poll.Wish($0, reads: true)] } ?? [])
    }

    /// Takes what has come and answers it. `process` is the only one that is served.
    func step(for process: Int32) {
        accept(process)
        guard let client else { return }
        var buffer = [UInt8](repeating: 0, count: 4096)
        switch buffer.withUnsafeMutableBytes({ client.read(into: $0) }) {
        case .count(let count): received += buffer[..<count]
        case .nothingYet: return
        case .ended: return drop()
        }
        do throws(SSHFault) {
            while let message = try WireFrame.take(from: &received, limit: AgentRequest.limit) {
                let reply = message.withUnsafeBytes { answer(AgentRequest($0)) }
                // An answer is far smaller than a socket's buffer.
                guard reply.withUnsafeBytes({ client.write($0) }) == reply.count else { return drop() }
            }
        } catch {
            drop()
        }
    }

    private func accept(_ process: Int32) {
        let number = kssh_accept(listener.number)
        guard number >= 0 else { return }
        let fresh = Descriptor(number)
        var user: uid_t = .max
        var peer: pid_t = 0
        guard kssh_peer(number, &user, &peer) == 0, user == geteuid(), peer == process else { return }
        fresh.makeNonBlocking()
        client = fresh
        received = []
    }

    private func drop() {
        client = nil
        received = []
    }

    func answer(_ request: AgentRequest?) -> [UInt8] {
        switch request {
        case .identities: return AgentReply.identities(key.publicKey)
        case .bind(let hostKey, let session, let isForwarding): return bind(hostKey, session, isForwarding)
        case .sign(let blob, let data, let flags): return sign(blob, data, flags)
        case .other, nil: return AgentReply.failure
        }
    }

    /// The program has checked the host's signature over the session; here it is only remembered what signing is bound to.
    private func bind(_ hostKey: [UInt8], _ session: [UInt8], _ isForwarding: Bool) -> [UInt8] {
        guard !isForwarding, boundSession == nil, let key = SSHPublicKey(blob: hostKey), let print = try? key.fingerprint(),
            accepts(print)
        else { return AgentReply.failure }
        boundSession = session
        boundHostKey = hostKey
        return AgentReply.success
    }

    private func sign(_ blob: [UInt8], _ data: [UInt8], _ flags: UInt32) -> [UInt8] {
        guard blob == key.publicKey.blob, let login = data.withUnsafeBytes({ LoginRequest($0) }), login.username == username,
            login.blob == blob, boundSession.map({ $0 == login.session }) ?? true,
            login.hostKey.map({ $0 == boundHostKey }) ?? true, let algorithm = algorithm(flags), algorithm == login.algorithm,
            let signature = try? data.withUnsafeBytes({ try key.signature(of: $0, algorithm: algorithm) })
        else { return AgentReply.failure }
        signatureCount += 1
        return AgentReply.signature(signature)
    }

    /// Of RSA the flags choose the digest (section 4.5.1); SHA-1, which is chosen by none, is refused.
    private func algorithm(_ flags: UInt32) -> String? {
        guard key.isRSA else { return key.publicKey.algorithm }
        if flags & 4 != 0 { return "rsa-sha2-512" }
        return flags & 2 != 0 ? "rsa-sha2-256" : nil
    }
}
