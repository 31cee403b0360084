import TestSupport

struct RedisTown: DatabaseTown {
    static let platform = "Redis"
    static let obstacle: String? = nil

    let server: RedisServer
    let worker = workerLogin
    let proxy: CuttingProxy
    var wire: any Wire { proxy }

    init() async throws {
        server = try await RedisServer()
        // A password that is added: `#` and the 64 digits of a hash. What takes one away begins with `!`.
        proxy = try CuttingProxy(to: server.clearPort, at: ["$65\r\n#", "DELUSER"])
        try await server.run("CONFIG", "SET", "acllog-max-len", "100000")
        try await server.run("ACL", "SETUSER", worker.username, "on", ">" + worker.secret, "~*", "&*", "+@all")
    }

    func asset(named name: String, throughWire: Bool) -> AssetBody {
        let port = throughWire ? proxy.port : server.port
        let channel =
            throughWire
            ? #""use_ssl":false,"allow_clear_text":true"#
            : #""use_ssl":true,"ca_cert":\#(Self.quoted(server.certificates.authority))"#
        return AssetBody(
            resource: "assets/databases",
            json:
                #"{"name":"\#(name)","address":"localhost","platform":23,"protocols":[{"name":"redis","port":\#(port)}],\#(channel)}"#
        )
    }

    func settle(_ people: [Login]) async throws {
        for login in people {
            try await server.run("ACL", "SETUSER", login.username, "on", ">" + login.secret, "~*", "+acl|whoami")
        }
        try await server.run("ACL", "SAVE")
    }

    /// A login that fails leaves the client with the user `default`.
    func opens(_ login: Login) async throws -> Bool {
        try await RunningProgram.run(
            "redis-cli",
            [
                "-h", "127.0.0.1", "-p", "\(server.clearPort)", "--no-auth-warning", "--user", login.username, "--pass",
                login.secret, "ACL", "WHOAMI",
            ]
        ).text == login.username + "\n"
    }

    func present(_ names: [String]) async throws -> Set<String> {
        Set(try await server.run("ACL", "USERS")).intersection(names)
    }

    /// Users whose line in memory is not the one in the file.
    func unwritten(_ names: [String]) async throws -> Set<String> {
        let (now, kept) = (
            Self.lines(try await server.run("ACL", "LIST")),
            Self.lines(server.kept(.accessFile).split(separator: "\n").map(String.init))
        )
        return Set(names.filter { now[$0] != kept[$0] })
    }

    private static func lines(_ lines: [String]) -> [String: String] {
        Dictionary(
            lines.compactMap { line in
                let words = line.split(separator: " ", maxSplits: 2).map(String.init)
                return words.count == 3 ? (words[1], words[2]) : nil
            }, uniquingKeysWith: { $1 })
    }

    /// The entries of `ACL LOG`, a name or a value a line; equal ones are counted in one.
    func rejections() async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        var (count, isLogin) = (0, false)
        let lines = try await server.run("ACL", "LOG", "100000")
        for (name, value) in zip(lines, lines.dropFirst()) {
            switch name {
            case "count": count = Int(value) ?? count
            case "reason": isLogin = value == "auth"
            case "username" where isLogin: counts[value, default: 0] += count
            default: break
            }
        }
        return counts
    }

    func empower(_ isAble: Bool) async throws {
        try await server.run("ACL", "SETUSER", worker.username, isAble ? "+@all" : "nocommands")
    }
}
