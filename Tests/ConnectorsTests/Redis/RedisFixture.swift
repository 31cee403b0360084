import Connectors
import Domain
import TestSupport

/// A server of Redis for the contract, reached over verified TLS.
struct RedisFixture: ConnectorFixture {
    let server: RedisServer
    let connector: any Connector = Redis()
    let worker: Worker

    init() async throws { self.init(try await RedisServer()) }

    init(_ server: RedisServer) {
        self.server = server
        worker = Worker(
            credential: TargetLogin(
                username: RedisServer.administrator, secretType: .password, secret: .of(RedisServer.administratorPassword)))
    }

    var target: Target { target(["use_ssl": "true", "ca_cert": server.certificates.authority]) }

    /// Without TLS, as the asset says.
    func clearTarget(port: UInt16? = nil, step: Duration = .seconds(60)) -> Target {
        target(["allow_clear_text": "true"], address: "127.0.0.1", port: Int(port ?? server.clearPort), step: step)
    }

    func target(
        _ settings: [String: String], address: String = "localhost", port: Int? = nil, step: Duration = .seconds(60)
    ) -> Target {
        Target(
            asset: AssetID.random(), type: "redis", address: address, port: port ?? Int(server.port), specific: settings,
            stepLimit: step)
    }

    let hostileNames = [
        "a\"b", "a'b", "a\\b", "UPPER", "ünïcödé", "😀", "user@host", "$1", "#hash", ">password", "~*", "+@all", "%s%n", "*1",
        String(repeating: "n", count: 300),
    ]

    let hostileSecrets = [
        "it's", "\"double\"", "back\\slash", "*3\r\n$3\r\nACL\r\n", "new\nline and\ttab", " spaces ", "pässwörd", "😀🔑", "#hash",
        ">", "nopass",
        String(repeating: "long", count: 60),
    ]

    /// A server tells users of the same rules apart by nothing.
    let parametersAnew = ["acl_rules": "~app:* +get"]

    let impossibleNames = ["", "a b", "a\nb", "a\0b"]

    func verifiers() async throws -> [String: String] {
        let lines = try await server.run("ACL", "LIST")
        return Dictionary(
            uniqueKeysWithValues: lines.compactMap { line in
                let words = line.split(separator: " ", maxSplits: 2).map(String.init)
                return words.count == 3 ? (words[1], words[2]) : nil
            })
    }
}
