import Foundation
import Glibc
import JSON
import Outbound
import TestSupport
import Testing

/// A disk of a few megabytes that becomes full under the server.
@Suite("A full disk", .enabled(if: Mount.obstacle == nil, Comment(rawValue: Mount.obstacle ?? "")))
struct FullDiskTests {
    /// A server whose data lie on a small disk; health is told openly on a plain listener.
    private struct Rig {
        let directory: TemporaryDirectory
        let mount: Mount
        let vault: SmallVault
        let plain: Curl

        var data: String { vault.server.data }
        var filling: String { directory.file("disk/filling") }

        static func start(reserve: String) async throws -> Rig {
            let directory = try TemporaryDirectory("disk")
            let disk = directory.file("disk")
            Glibc.mkdir(disk, 0o700)
            let mount = try Mount.small("24m", on: disk)
            let port = try FreePort.any()
            let server = try await ServerProcess.make(
                configuration: "plain_listen: 127.0.0.1:\(port)\ndisk_reserve: \(reserve)\n", data: disk + "/data")
            try await server.start()
            return Rig(
                directory: directory, mount: mount, vault: try await SmallVault.fill(server),
                plain: Curl(base: "http://127.0.0.1:\(port)"))
        }

        /// Takes all space that is left.
        func fill() {
            let file = open(filling, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            for size in [1 << 20, 4096, 1] {
                let bytes = [UInt8](repeating: 0x78, count: size)
                while write(file, bytes, size) > 0 {}
            }
            close(file)
        }

        func empty() { unlink(filling) }

        func readiness() async throws -> Curl.Answer { try await plain.request("GET", "/readyz") }
    }

    @Test(
        "writes fail clearly and by whole, the reserve keeps fetches audited, and all goes on once there is space",
        .timeLimit(.minutes(15)))
    func withReserve() async throws {
        let rig = try await Rig.start(reserve: "2MiB")
        let vault = rig.vault
        #expect(try await rig.readiness().status == 200)
        rig.fill()
        // Write-ahead logs may have room left inside; beyond that nothing is accepted. Whatever is accepted must stay.
        var accepted: [String: String] = [:]
        var refused: [String] = []
        for number in 0..<2_000 where refused.count < 5 {
            let name = "full\(number)"
            let body = #"{"username":"\#(name)","asset":"\#(vault.asset)","secret":"secret \#(number)"}"#
            let answer = try await vault.admin.call(.post, "/api/v1/accounts/accounts/", body)
            if answer.status == 201 {
                accepted[name] = "secret \(number)"
            } else {
                #expect(answer.status == 503 && answer.string("code") == "unavailable", "\(answer.status) \(answer.text)")
                refused.append(name)
            }
        }
        #expect(refused.count == 5, "the disk never became full")
        let readiness = try await rig.readiness()
        #expect(readiness.status == 503 && readiness.text.contains("\"disk\""), "\(readiness.text)")
        let told = try await vault.server.operate(["doctor", "--quick", "--json"])
        let findings = try JSONDocument.parse(told.output)["findings"]?.array.map(Array.init) ?? []
        let disk = try #require(findings.first { $0["subject"]?.string == "disk" }, "\(told.text)")
        #expect(disk["state"]?.string == "wrong" && disk["remedy"]?.string?.isEmpty == false)
        // What must still be written has the reserve: a fetch is granted, and its entry is durable.
        let connection = APIConnection(vault.server)
        for _ in 0..<20 {
            let fetched = try await vault.key.fetch(over: connection)
            #expect(fetched.status == 200, "\(fetched.text)")
        }
        #expect(vault.server.program?.poll() == nil)

        rig.empty()
        let later = try await vault.admin.call(
            .post, "/api/v1/accounts/accounts/", #"{"username":"later","asset":"\#(vault.asset)","secret":"s"}"#)
        #expect(later.status == 201, "\(later.text)")
        #expect(try await AuditExport.isWhole(vault.server))
        try await Self.check(rig, accepted: accepted, refused: refused)
        // And none of it was only in memory.
        try await vault.server.kill()
        try await vault.server.start()
        try await Self.check(rig, accepted: accepted, refused: refused)
        #expect(try await AuditExport.isWhole(vault.server))
        #expect(try await rig.readiness().status == 200)
    }

    private static func check(_ rig: Rig, accepted: [String: String], refused: [String]) async throws {
        let connection = APIConnection(rig.vault.server)
        for (name, secret) in accepted {
            let answer = try await rig.vault.key.fetch(over: connection, ApplicationKey.target(asset: "db1", account: name))
            #expect(answer.string("secret") == secret, "\(name): \(answer.status)")
        }
        for name in refused {
            let answer = try await rig.vault.key.fetch(over: connection, ApplicationKey.target(asset: "db1", account: name))
            #expect(answer.status == 400, "\(name) was refused and is half there: \(answer.text)")
        }
    }

    @Test("where nothing at all can be written, nothing is granted; afterwards all is as before", .timeLimit(.minutes(15)))
    func withoutReserve() async throws {
        let rig = try await Rig.start(reserve: "0")
        let vault = rig.vault
        rig.fill()
        let connection = APIConnection(vault.server)
        var granted = 0
        var last = try await vault.key.fetch(over: connection)
        while last.status == 200, granted < 20_000 {
            granted += 1
            last = try await vault.key.fetch(over: connection)
        }
        #expect(last.status == 503 && last.text.contains("audit log cannot be written"), "\(last.status) \(last.text)")
        let readiness = try await rig.readiness()
        #expect(readiness.status == 503 && readiness.text.contains("\"audit\""), "\(readiness.text)")
        #expect(vault.server.log.contains("audit"), "the log says why")
        rig.empty()
        #expect(try await vault.key.fetch(over: connection).status == 200)
        #expect(try await rig.readiness().status == 200)
        #expect(try await AuditExport.isWhole(vault.server))
        let written = try await AuditExport(vault.server).entries("secret.fetch", outcome: "granted").count
        #expect(written >= granted + 1)
    }

    @Test("a server is started and stopped on a full disk, and refuses to grant meanwhile or grants with its entry written")
    func startWhenFull() async throws {
        let rig = try await Rig.start(reserve: "0")
        try await rig.vault.server.stop()
        rig.fill()
        let program = try RunningProgram(
            Products.keyturnd, ["serve", "--data", rig.data, "--listen", "127.0.0.1:0"])
        // It may not start at all, but then it says why and ends by itself; it must not pretend.
        let deadline = ContinuousClock.now + .seconds(120)
        while program.poll() == nil, !program.standardError.contains("listening"), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
        }
        if let ending = program.poll() {
            #expect(ending == .status(1))
            #expect(program.standardError.contains("full"), "\(program.standardError)")
        } else {
            #expect(program.standardError.contains("listening"))
        }
        program.signal(SIGKILL)
        _ = try await program.wait()
        rig.empty()
        try await rig.vault.server.start()
        #expect(try await rig.vault.key.fetch(over: APIConnection(rig.vault.server)).status == 200)
        #expect(try await AuditExport.isWhole(rig.vault.server))
    }
}
