import TestSupport

/// A host of its own, see `TestHost`; the worker is a user with sudo.
struct LinuxTown: Town {
    static let platform = "Linux"
    static let obstacle = TestHost.obstacle

    let host: TestHost
    let worker = workerLogin
    let hostWire: HostWire
    var wire: any Wire { hostWire }

    init() async throws {
        host = try await TestHost.start(
            users: [.init(worker.username, password: worker.secret, sudo: .withoutPassword)],
            // Keys that were refused are not told of otherwise.
            settings: ["LogLevel VERBOSE"], setUp: HostWire.setUp)
        hostWire = try HostWire(host)
    }

    func asset(named name: String, throughWire: Bool) -> AssetBody {
        let port = throughWire ? Int(hostWire.port) : host.port
        return AssetBody(
            resource: "assets/hosts",
            json: #"{"name":"\#(name)","address":"127.0.0.1","platform":1,"protocols":[{"name":"ssh","port":\#(port)}]}"#)
    }

    func settle(_ people: [Login]) async throws {
        let names = people.map(\.username).joined(separator: " ")
        try await host.expect(
            "set -e; for name in \(names); do useradd --create-home --shell /bin/bash $name; done; chpasswd",
            input: Array(people.map { "\($0.username):\($0.secret)\n" }.joined().utf8))
    }

    func opens(_ login: Login) async throws -> Bool { try await PasswordLogin(at: host).succeeds(login.username, login.secret) }

    func present(_ names: [String]) async throws -> Set<String> {
        let list = names.joined(separator: " ")
        let text = try await host.expect("for name in \(list); do getent passwd -- $name | cut -d : -f 1; done; true")
        return Set(text.split(separator: "\n").map(String.init))
    }

    /// Those without the sudo commands that every push asks for.
    func incomplete(_ names: [String]) async throws -> Set<String> {
        let files = Set(try await host.expect("ls -A /etc/sudoers.d").split(separator: "\n").map(String.init))
        return Set(names.filter { !files.contains("keyturn-" + $0) })
    }

    func rejections() async throws -> [String: Int] { Self.rejections(in: host) }

    /// What a host's sshd has refused, by user name.
    static func rejections(in host: TestHost) -> [String: Int] {
        counts(host.log, /Failed (?:password|publickey) for (?:invalid user )?(\S+) from/)
    }

    func empower(_ isAble: Bool) async throws {
        let (inUse, away) = ("/etc/sudoers.d/tests", "/run/sudoers-away")
        try await host.expect(isAble ? "mv \(away) \(inUse)" : "mv \(inUse) \(away)")
    }
}
