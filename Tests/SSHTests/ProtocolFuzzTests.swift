import Cryptography
import TestSupport
import Testing

@testable import SSH

@Suite("Decoders of agent and multiplexer")
struct ProtocolFuzzTests {
    static func wire(_ body: (inout SSHWireWriter) -> Void) -> [UInt8] { Array(WireFrame.make(body).dropFirst(4)) }

    static func login(_ user: String, _ algorithm: String, _ blob: [UInt8]) -> [UInt8] {
        wire { writer in
            writer.string("session id")
            writer.byte(50)
            writer.string(user)
            writer.string("ssh-connection")
            writer.string("publickey")
            writer.byte(1)
            writer.string(algorithm)
            writer.string(blob)
        }
    }

    static func sign(_ blob: [UInt8], _ data: [UInt8], flags: UInt32) -> AgentRequest? {
        wire { writer in
            writer.byte(13)
            writer.string(blob)
            writer.string(data)
            writer.word(flags)
        }.withUnsafeBytes { AgentRequest($0) }
    }

    @Test("the agent signs the login that it was made for, with SHA-2, and nothing else")
    func agent() throws {
        let pair = try TestKeyPair.make(.rsa, bits: 2048)
        var bytes = pair.privateKey
        let key = try SSHSigningKey(Secret(moving: &bytes))
        let directory = try PrivateDirectory()
        let agent = try Agent(key, username: "alice", path: directory.file("agent")) { _ in true }
        let blob = key.publicKey.blob
        let good = Self.login("alice", "rsa-sha2-512", blob)
        #expect(agent.answer(Self.sign(blob, good, flags: 4)) != AgentReply.failure)
        for (data, flags) in [
            (good, 0), (good, 2), (good, 1), (Self.login("bob", "rsa-sha2-512", blob), 4),
            (Self.login("alice", "ssh-rsa", blob), 0),
            (Self.login("alice", "rsa-sha2-512", blob + [0]), 4), (good + [0], 4), (Array(good.dropLast()), 4), ([], 4),
        ] as [([UInt8], UInt32)] {
            #expect(agent.answer(Self.sign(blob, data, flags: flags)) == AgentReply.failure)
        }
        #expect(agent.answer(Self.sign(blob + [1], good, flags: 4)) == AgentReply.failure)
        #expect(agent.signatureCount == 1)
        // Once it is bound to a session, it signs for that one.
        let hostKey = Array(key.publicKey.blob)
        #expect(agent.answer(.bind(hostKey: hostKey, session: Array("another".utf8), isForwarding: false)) == AgentReply.success)
        #expect(agent.answer(Self.sign(blob, good, flags: 4)) == AgentReply.failure)
        #expect(agent.answer(.bind(hostKey: hostKey, session: [], isForwarding: true)) == AgentReply.failure)
    }

    @Test("an agent whose host was not accepted binds to nothing")
    func unbound() throws {
        var bytes = try TestKeyPair.make(.ed25519).privateKey
        let key = try SSHSigningKey(Secret(moving: &bytes))
        let directory = try PrivateDirectory()
        let agent = try Agent(key, username: "alice", path: directory.file("agent")) { _ in false }
        #expect(agent.answer(.bind(hostKey: key.publicKey.blob, session: [1], isForwarding: false)) == AgentReply.failure)
    }

    @Test("whatever comes, decoders end in a message or in nothing")
    func fuzz() throws {
        let blob = [UInt8](repeating: 7, count: 40)
        let data = Self.login("alice", "ssh-ed25519", blob)
        let samples: [[UInt8]] = [
            [11], data,
            Self.wire { writer in
                writer.byte(13)
                writer.string(blob)
                writer.string(data)
                writer.word(4)
            },
            Self.wire { writer in
                writer.byte(27)
                writer.string("session-bind@openssh.com")
                writer.string(blob)
                writer.string("session")
                writer.string("signature")
                writer.byte(0)
            },
            Self.wire { writer in
                writer.word(0x8000_0003)
                writer.word(1)
                writer.string("no")
            },
            Array(MultiplexRequest.session("id", onTerminal: true, number: 1).dropFirst(4)),
        ]
        var fuzzer = Fuzzer(seed: 77, bytes: samples)
        var understood = 0
        for _ in 0..<Fuzzer.rounds(1500) {
            let input = fuzzer.next()
            input.withUnsafeBytes { bytes in
                if AgentRequest(bytes) != nil { understood += 1 }
                if LoginRequest(bytes) != nil { understood += 1 }
                if MultiplexReply(bytes) != nil { understood += 1 }
            }
            var stream = input
            while let message = try? WireFrame.take(from: &stream, limit: 1000) { #expect(message.count <= 1000) }
            let words = ClientWords(input)
            _ = (words.methodUsed, words.fault(method: "publickey", hasOfferedSecret: false).words.count <= 500)
            _ = ClientWords.fingerprint(in: String(decoding: input, as: UTF8.self))
        }
        #expect(understood > 0)
    }

    @Test("words of the program become faults")
    func words() {
        func kind(_ said: String, _ method: String = "password", offered: Bool = true) -> SSHFault.Kind {
            ClientWords(Array(said.utf8)).fault(method: method, hasOfferedSecret: offered).kind
        }
        #expect(kind("a@target: Permission denied (publickey,password).\r\n") == .rejected)
        #expect(kind("a@target: Permission denied (publickey).\r\n", offered: false) == .noCommonMethod)
        #expect(kind("a@target: Permission denied (publickey).\r\n", "publickey", offered: false) == .rejected)
        #expect(
            kind(
                "Authenticated using \"publickey\" with partial success.\r\na@target: Permission denied (password).\r\n",
                "publickey")
                == .moreNeeded(methods: ["password"]))
        #expect(kind("Unable to negotiate with UNKNOWN: no matching host key type found.") == .noCommonMethod)
        #expect(kind("kex_exchange_identification: Connection closed by remote host") == .cut)
        #expect(kind("") == .protocolError)
        #expect(ClientWords(Array("Authenticated to target (via proxy) using \"none\".".utf8)).methodUsed == "none")
        #expect(ClientWords.fingerprint(in: "RSA key fingerprint is SHA256:short.") == nil)
    }
}
