import Automation
import Connectors
import Cryptography
import Domain
import TestSupport
import Testing

@testable import Storage

/// A server of Redis that is cut off between a change and its being written down: it would forget the change at its next start.
@Suite("What a target has in memory alone", .serialized)
struct MemorySavingTests {
    static let places = [RedisServer.Persistence.accessFile, .configuration]

    /// A vault, and a server in which `app` has a password, written down.
    private struct Scene {
        let shop: Workshop
        let server: RedisServer
        let proxy: CuttingProxy
        let place: RedisServer.Persistence
        let app: Account

        init(_ place: RedisServer.Persistence, isThere: Bool, cutBehind step: TurnStep? = nil) async throws {
            self.place = place
            let (server, words) = (try await RedisServer(place), place == .accessFile ? "SAVE" : "REWRITE")
            self.server = server
            if isThere { try await server.run("ACL", "SETUSER", "app", "on", ">Old-secret-1!") }
            let write = place == .accessFile ? ["ACL", "SAVE"] : ["CONFIG", "REWRITE"]
            try await server.run(write[0], write[1])
            let proxy = try CuttingProxy(to: server.clearPort, at: ["$\(words.utf8.count)\r\n\(words)\r\n"])
            self.proxy = proxy
            if step == nil { proxy.arm(.before, times: 1) }
            shop = try Workshop({ parts in
                parts.connector = { $0 == "redis" ? Redis() : nil }
                parts.stepLimit = .seconds(60)
                parts.probe = StepProbe { reached, _ in if reached == step { proxy.arm(.before, times: 1) } }
            })
            let asset = Asset(
                id: .random(), organization: .default, name: "real", address: "127.0.0.1", platform: .init(rawValue: 23),
                protocols: [AssetProtocol(name: "redis", port: Int(proxy.port))], specific: ["allow_clear_text": "true"],
                dateCreated: Workshop.start, dateUpdated: Workshop.start)
            app = Workshop.account(31, on: asset, name: "app")
            try shop.add(asset)
            try shop.add(
                Workshop.account(30, on: asset, name: RedisServer.administrator, privileged: true),
                secret: RedisServer.administratorPassword)
            try shop.add(app, secret: "Old-secret-1!")
        }

        /// Lets the settlement work until nothing is open.
        func settle() async throws {
            #expect(proxy.count == 1, "nothing was cut")
            try await shop.settle(days: 1)
            #expect(try await shop.database.read { try SecretChanges.nextDue(on: $0) } == nil)
        }

        /// What the server would read at its next start of the account.
        var line: String? {
            server.kept(place).split(separator: "\n").first { $0.hasPrefix("user app ") }.map(String.init)
        }

        static func hash(_ text: String) throws -> String {
            let digits = Array("0123456789abcdef")
            return String(try SHA256.digest(Array(text.utf8)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
        }
    }

    @Test("a user that is removed does not come back", arguments: places)
    func removed(place: RedisServer.Persistence) async throws {
        let scene = try await Scene(place, isThere: true)
        #expect(scene.line != nil)
        _ = await scene.shop.turning.remove(scene.app.id, in: .default, Workshop.order(), by: Workshop.principal)
        try await scene.settle()
        #expect(try !scene.shop.stored(scene.app.id).isActive)
        #expect(scene.line == nil)
    }

    @Test("a user that is pushed is there after a restart too", arguments: places)
    func pushed(place: RedisServer.Persistence) async throws {
        let scene = try await Scene(place, isThere: false)
        _ = await scene.shop.turning.push(scene.app.id, in: .default, Workshop.order(), by: Workshop.principal)
        try await scene.settle()
        #expect(scene.line?.contains(try Scene.hash("Old-secret-1!")) == true)
    }

    @Test("a password that was taken away is not live again, and the new one is", arguments: places)
    func retired(place: RedisServer.Persistence) async throws {
        let scene = try await Scene(place, isThere: true, cutBehind: .promote)
        _ = await scene.shop.turning.turn(scene.app.id, in: .default, Workshop.order(), by: Workshop.principal)
        try await scene.settle()
        let line = try #require(scene.line)
        #expect(!line.contains(try Scene.hash("Old-secret-1!")))
        let served = try #require(try scene.shop.served(scene.app.id))
        #expect(line.contains(try Scene.hash(String(decoding: served, as: UTF8.self))))
    }
}
