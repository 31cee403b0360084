internal import Cryptography
internal import Streams

/// Leads a connection through the handshake and the login.
struct MariaDBLogin {
    let packets: Packets
    let user: String
    let wantsTLS: Bool
    let deadline: ContinuousClock.Instant

    /// More than this many questions about one password are no login.
    private static let mostRounds = 6

    /// - Returns: what the server said about itself, and the proof that it took.
    func run(_ password: borrowing Secret) throws(MariaDBFault) -> (handshake: Handshake, proof: String) {
        let greeting = try packets.read(until: deadline)
        if greeting.first == 0xFF { throw Self.refusal(greeting) }
        let handshake = try Handshake(greeting)
        guard handshake.capabilities & Capability.needed == Capability.needed else {
            throw MariaDBFault(.unsupported, "the server is too old")
        }
        let capabilities = Capability.ours | (wantsTLS ? Capability.tls : 0)
        // Packets of up to 16 MiB; utf8mb4.
        let head = Bytes.number(capabilities, 4) + Bytes.number(1 << 24, 4) + [45] + [UInt8](repeating: 0, count: 23)
        if wantsTLS {
            guard handshake.capabilities & Capability.tls != 0 else {
                throw MariaDBFault(.noSafeChannel, "the server has no TLS")
            }
            try packets.write(head, until: deadline)
            try packets.startTLS(until: deadline)
        }
        // A server whose own plugin is none of ours is told one that is; it will ask again for the account's.
        // The first nonce is too short for a signature.
        let proof = Proof(rawValue: handshake.plugin).flatMap { $0 == .ed25519 ? nil : $0 }
        let first = try proof.map { (proof) throws(MariaDBFault) in try proof.answer(handshake.nonce, password) } ?? []
        let name = Array(user.utf8) + [0]
        let answer = [UInt8(truncatingIfNeeded: first.count)] + first
        try packets.write(head + name + answer + Array((proof ?? .native).rawValue.utf8) + [0], until: deadline)
        return (handshake, try answerQuestions(proof, handshake.nonce, password))
    }

    private func answerQuestions(
        _ first: Proof?, _ firstNonce: [UInt8], _ password: borrowing Secret
    ) throws(MariaDBFault) -> String {
        var proof = first
        var answered = first != nil
        for _ in 0..<Self.mostRounds {
            let packet = try packets.read(until: deadline)
            switch packet.first {
            case 0x00:
                guard answered, let proof else { throw MariaDBFault(.unsupported, "the server asks for no password") }
                return proof.rawValue
            case 0xFF: throw Self.refusal(packet)
            case 0xFE:
                var reader = PacketReader(packet)
                _ = try reader.byte()
                guard !reader.isAtEnd else { throw MariaDBFault(.noSafeChannel, "the server asks for the proof of MySQL 4.0") }
                let plugin = String(decoding: try reader.untilNUL().prefix(100), as: UTF8.self)
                // Each proof takes as many bytes as it needs; some servers end them with a NUL, and a nonce may end with one too.
                let nonce = reader.remainder()
                proof = try known(plugin)
                if let proof { try packets.write(proof.answer(nonce, password), until: deadline) }
                answered = true
            case 0x01 where proof == .cachingSHA2: try goOn(packet, password)
            default: throw MariaDBFault(.brokenProtocol, "not a question about a password")
            }
        }
        throw MariaDBFault(.brokenProtocol, "too many questions about one password")
    }

    private func known(_ plugin: String) throws(MariaDBFault) -> Proof {
        if let proof = Proof(rawValue: plugin) { return proof }
        switch plugin {
        case "mysql_clear_password", "dialog", "sha256_password":
            throw MariaDBFault(.noSafeChannel, "the server asks for the password in clear (\(plugin))")
        default:
            throw MariaDBFault(.unsupported, "the server asks for a proof that is not known here (\(plugin))")
        }
    }

    /// MySQL's `caching_sha2_password`: 3 is yes; 4 asks for the password itself, which only a server that has proved who it is gets.
    private func goOn(_ packet: [UInt8], _ password: borrowing Secret) throws(MariaDBFault) {
        switch packet.dropFirst().first {
        case 3: return
        case 4:
            guard packets.stream.provesServer else {
                throw MariaDBFault(.noSafeChannel, "the server asks for the password itself, and has not proved who it is")
            }
            var clear = password.withBytes { Array($0) } + [0]
            defer { ConstantTime.wipe(&clear) }
            try packets.write(clear, until: deadline)
        default: throw MariaDBFault(.brokenProtocol, "not a question about a password")
        }
    }

    /// A packet that says no: a number, a state, words. Before the login the state may be missing.
    static func refusal(_ packet: [UInt8]) -> MariaDBFault {
        var reader = PacketReader(packet)
        do throws(MariaDBFault) {
            _ = try reader.byte()
            let code = try reader.number(2)
            if reader.first == UInt8(ascii: "#") { _ = try reader.bytes(6) }
            return MariaDBFault(.refused(code: code), String(decoding: reader.remainder().prefix(4096), as: UTF8.self))
        } catch { return error }
    }
}
