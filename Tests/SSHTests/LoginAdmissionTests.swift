import Foundation
import SSH
import Synchronization
import TestSupport
import Testing

@Suite(
    "SSH logins that somebody counts",
    .enabled(if: TestHost.obstacle == nil, "needs a host of its own: \(TestHost.obstacle ?? "")"))
struct LoginAdmissionTests {
    /// Hears of the logins, and does something before it allows each.
    private final class Ear: LoginAdmission {
        struct End: Sendable, Hashable {
            let kind: SSHFault.Kind?
            let hasOfferedSecret: Bool
        }

        private let before: @Sendable () -> Void
        private let ends = Mutex<[End]>([])
        var heard: [End] { ends.withLock { $0 } }

        init(_ before: @escaping @Sendable () -> Void = {}) { self.before = before }

        func begin() throws(SSHFault) { before() }

        func end(_ fault: SSHFault?, hasOfferedSecret: Bool) {
            ends.withLock { $0.append(End(kind: fault?.kind, hasOfferedSecret: hasOfferedSecret)) }
        }
    }

    private static func host(_ way: Way, settings: [String] = [], setUp: String = "") async throws -> TestHost {
        try await TestHost.start(
            users: [.init("alice", password: "right")], hostKeys: LoginFaultTests.keys(way), settings: settings, setUp: setUp)
    }

    @Test(
        "one that had to wait for leave longer than its host waits for a login is made once, on a new connection",
        arguments: Way.allCases)
    func late(way: Way) async throws {
        let host = try await Self.host(way, settings: ["LoginGraceTime 6"])
        let ear = Ear { Thread.sleep(forTimeInterval: 9) }
        let session = try await host.open(.password("alice", "right", counting: ear))
        #expect(try await session.result("id -un").text == "alice\n")
        #expect(ear.heard == [.init(kind: nil, hasOfferedSecret: true)])
        await host.stop()
    }

    @Test("of one whose connection ended before the secret was sent, it is told that none was", arguments: Way.allCases)
    func cutBefore(way: Way) async throws {
        let host = try await Self.host(way)
        let proxy = try CuttingProxy(to: UInt16(host.port))
        let endpoint = SSHEndpoint(host: "127.0.0.1", port: Int(proxy.port), pinned: [host.hostKey], acceptNew: false)
        let ear = Ear { proxy.close() }
        let login = SSHLogin.password("alice", "right", counting: ear)
        let found = try await LoginFaultTests.attempt(endpoint, login)
        #expect(ear.heard == [.init(kind: found.kind, hasOfferedSecret: false)], "\(found)")
        #expect(!host.log.contains("alice from"))
        await host.stop()
    }

    @Test("of one whose connection ended when the secret had been sent, it is told that it was", arguments: Way.allCases)
    func cutAfter(way: Way) async throws {
        // The host's side of the connection dies while it looks at the password.
        let host = try await Self.host(
            way,
            setUp: """
                printf '#!/bin/sh\nkill -9 $PPID\n' > /etc/die; chmod 755 /etc/die
                sed -i '1i auth requisite pam_exec.so quiet /etc/die' /etc/pam.d/sshd
                """)
        let ear = Ear()
        let found = try await LoginFaultTests.attempt(host.endpoint, .password("alice", "right", counting: ear))
        #expect(found.kind == .cut, "\(found)")
        #expect(ear.heard == [.init(kind: found.kind, hasOfferedSecret: true)])
        await host.stop()
    }

    @Test("of one that the host refuses it is told once", arguments: Way.allCases)
    func refused(way: Way) async throws {
        let host = try await Self.host(way)
        let ear = Ear()
        _ = try await LoginFaultTests.attempt(host.endpoint, .password("alice", "wrong", counting: ear))
        #expect(ear.heard == [.init(kind: .rejected, hasOfferedSecret: true)])
        await host.stop()
    }
}
