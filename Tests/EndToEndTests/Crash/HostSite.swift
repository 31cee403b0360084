import Foundation
import Outbound
import TestSupport
import Testing

/// A real server, a Linux host, and a gateway to the same host, where every errand is done.
final class HostSite: Sendable {
    let crash: CrashSite
    let town: LinuxTown
    let gateway: TestHost
    /// The host's asset, and the one of the same host behind the gateway.
    let direct: String
    let far: String
    /// A public key that people put on the host themselves.
    let foreignKey: String
    private static let jump = Login(username: "jump", secret: "Jump-secret-1!")

    var host: TestHost { town.host }

    init() async throws {
        town = try await LinuxTown()
        gateway = try await TestHost.start(
            users: [.init(Self.jump.username, password: Self.jump.secret)],
            // Nobody else knows the name.
            setUp: "echo '127.0.0.1 inner.keyturn.test' >> /etc/hosts")
        foreignKey = try TestKeyPair.make(.ed25519).publicKey
        // All work is on one sshd, which has two logins to answer for each.
        crash = try await CrashSite([town], stepTimeout: "30s")
        direct = crash.asset(of: 0)
        far = try await Self.farAsset(crash, town, gateway)
    }

    /// The zone with its gateway, and the host in it.
    private static func farAsset(_ crash: CrashSite, _ town: LinuxTown, _ gateway: TestHost) async throws -> String {
        let admin = crash.admin
        try await admin.confirm(crash.server)
        let zone = try await admin.create("assets/zones", #"{"name":"far"}"#).string("id")
        func asset(_ name: String, _ address: String, _ platform: Int, _ port: Int) async throws -> String {
            try await admin.create(
                "assets/hosts",
                #"{"name":"\#(name)","address":"\#(address)","platform":\#(platform),"zone":"\#(zone)","protocols":[{"name":"ssh","port":\#(port)}]}"#
            ).string("id")
        }
        let way = try await asset("jump", "127.0.0.1", 10, gateway.port)
        _ = try await admin.account(jump.username, on: way, secret: jump.secret)
        let trust = "/api/v1/assets/assets/\(way)/trust/"
        let pinned = try await admin.call(.put, trust, #"{"systems":["ssh-host-key:\#(gateway.hostKey)"]}"#)
        let confirmed = try await admin.call(.post, trust + "confirm/")
        guard pinned.status == 200, [200, 201].contains(confirmed.status) else {
            throw ProgramFault.unexpected("the trust in the gateway", output: pinned.text + confirmed.text)
        }
        let far = try await asset("behind", "inner.keyturn.test", 1, town.host.port)
        _ = try await admin.create(
            "accounts/accounts",
            #"{"name":"worker","username":"\#(town.worker.username)","asset":"\#(far)","secret":"\#(town.worker.secret)","privileged":true}"#
        )
        return far
    }
}

// MARK: - Errands

extension HostSite: ErrandSite {
    static let columns = ["SSH key changed", Push.work, Removal.work, "password changed through a gateway"]

    var errands: [any Errand] {
        [
            KeyChange(self), Push(title: Push.work, crash: crash, town: town, asset: direct),
            Removal(title: Removal.work, crash: crash, town: town, asset: direct), ThroughGateway(self),
        ]
    }

    /// The most rejected logins that anybody of these, the worker, or the gateway's account has had.
    func mostRejections(_ subjects: [Subject]) async throws -> Int {
        let (counts, atGateway) = (try await town.rejections(), LinuxTown.rejections(in: gateway))
        let names = subjects.map(\.username) + [town.worker.username]
        return max(names.map { counts[$0] ?? 0 }.max() ?? 0, atGateway.values.max() ?? 0)
    }
}

/// Opens what the tests of a suite share, and ends it with the last of them.
struct SharedHostSite: SuiteTrait, TestScoping {
    @TaskLocal static var site: HostSite?

    func provideScope(
        for test: Test, testCase: Test.Case?, performing tests: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let site = try await HostSite()
        try await Self.$site.withValue(site) { try await tests() }
        try await site.crash.server.kill()
        await site.gateway.stop()
        await site.host.stop()
    }

    /// The site, with its server running and the administrator logged in.
    static func running() async throws -> HostSite { try await #require(site).ready() }
}
