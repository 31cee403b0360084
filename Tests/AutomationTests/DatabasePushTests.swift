import Automation
import Connectors
import Cryptography
import Domain
import TestSupport
import Testing

/// Every cell of the table of a push, on a real server of each database.
@Suite("Pushing accounts to databases", .serialized)
struct DatabasePushTests {
    enum Database: String, CaseIterable, CustomTestStringConvertible {
        case postgresql, mariadb, redis
        var testDescription: String { rawValue }
    }

    /// A server with its connector, and how an asset leads there.
    private struct Place: Sendable {
        let connector: any Connector
        let platform: Int
        let port: UInt16
        let settings: [String: String]
        let worker: (name: String, password: String)
        /// It runs for as long as somebody holds it.
        let server: any Sendable

        static let started = Task {
            let (postgresql, mariadb, redis) = (try await PostgreSQLServer(), try await MariaDBServer(), try await RedisServer())
            return [
                Database.postgresql: Place(
                    connector: PostgreSQL(), platform: 19, port: postgresql.port,
                    settings: ["pg_ssl_mode": "verify-full", "ca_cert": postgresql.certificates.authority],
                    worker: (PostgreSQLServer.superuser, PostgreSQLServer.superuserPassword), server: postgresql),
                .mariadb: Place(
                    connector: MariaDB(), platform: 18, port: mariadb.port,
                    settings: ["use_ssl": "true", "ca_cert": mariadb.certificates.authority],
                    worker: (MariaDBServer.administrator, MariaDBServer.administratorPassword), server: mariadb),
                .redis: Place(
                    connector: Redis(), platform: 23, port: redis.port,
                    settings: ["use_ssl": "true", "ca_cert": redis.certificates.authority],
                    worker: (RedisServer.administrator, RedisServer.administratorPassword), server: redis),
            ]
        }
    }

    /// What one cell begins with.
    private struct Scene {
        let shop: Workshop
        let place: Place
        let asset: Asset
        let app: Account

        /// - Parameters:
        ///   - theirs: the secret that the server has; nil where it has no such account.
        ///   - ours: the secret that Keyturn has.
        init(_ database: Database, _ name: String, theirs: String?, ours: String?) async throws {
            let place = try #require(try await Place.started.value[database])
            self.place = place
            shop = try Workshop({ $0.connector = { $0 == database.rawValue ? place.connector : nil } })
            asset = Asset(
                id: .random(), organization: .default, name: "real", address: "localhost",
                platform: .init(rawValue: place.platform),
                protocols: [AssetProtocol(name: database.rawValue, port: Int(place.port))], specific: place.settings,
                dateCreated: Workshop.start, dateUpdated: Workshop.start)
            app = Workshop.account(61, on: asset, name: name)
            try shop.add(asset)
            try shop.add(
                Workshop.account(60, on: asset, name: place.worker.name, privileged: true), secret: place.worker.password)
            try shop.add(app, secret: ours)
            guard let theirs else { return }
            let (target, worker) = (target, Worker(credential: Self.login(place.worker.name, place.worker.password)))
            try await onOwnThread {
                let session = try #require(try place.connector.open(target, as: worker) as? any AccountPushing)
                defer { session.close() }
                let request = ChangeRequest(username: name, secretType: .password)
                try session.create(AccountPush(request: request), secret: secret(theirs))
            }
        }

        private static func login(_ name: String, _ password: String) -> TargetLogin {
            TargetLogin(username: name, secretType: .password, secret: secret(password))
        }

        private var target: Target {
            Target(
                asset: asset.id, type: Platform.named(asset.platform)?.type ?? "", address: asset.address, port: Int(place.port),
                specific: place.settings, stepLimit: .seconds(60))
        }

        func push(_ existing: ExistingPolicy = .nothing) async -> RecordOutcome {
            let order = Workshop.order { $0.existing = existing }
            return await shop.turning.push(app.id, in: .default, order, by: Workshop.principal).outcome
        }

        /// Whether the account lets in with it, and because of it.
        func opens(_ password: String) async throws -> Bool {
            let (connector, target, name) = (place.connector, target, app.username)
            return try await onOwnThread {
                try connector.verify(Self.login(name, password), on: target, by: .direct) == .proven
            }
        }

        var served: String? {
            get throws { try shop.served(app.id).map { String(decoding: $0, as: UTF8.self) } }
        }
    }

    @Test("neither there nor here: it is created with a new secret, which is kept", arguments: Database.allCases)
    func nowhere(_ database: Database) async throws {
        let scene = try await Scene(database, "nowhere", theirs: nil, ours: nil)
        #expect(await scene.push() == RecordOutcome(.success, .proven))
        #expect(try await scene.opens(try #require(try scene.served)))
    }

    @Test("there and not here: its secret is changed and kept", arguments: Database.allCases)
    func there(_ database: Database) async throws {
        let scene = try await Scene(database, "there", theirs: "Theirs-secret-1!", ours: nil)
        #expect(await scene.push() == RecordOutcome(.success, .proven))
        #expect(try await scene.opens(try #require(try scene.served)))
        #expect(try await !scene.opens("Theirs-secret-1!"))
    }

    @Test("here and not there: it is created with the secret that is kept", arguments: Database.allCases)
    func here(_ database: Database) async throws {
        let scene = try await Scene(database, "here", theirs: nil, ours: "Ours-secret-2!")
        #expect(await scene.push() == RecordOutcome(.success, .proven))
        #expect(try await scene.opens("Ours-secret-2!"))
        #expect(try scene.served == "Ours-secret-2!")
    }

    @Test(
        "there and here: nothing happens though the secrets differ, unless it is said that the secret is set",
        arguments: Database.allCases)
    func both(_ database: Database) async throws {
        let scene = try await Scene(database, "both", theirs: "Theirs-secret-1!", ours: "Ours-secret-2!")
        for existing in [ExistingPolicy.nothing, .updateAttributes] {
            let outcome = await scene.push(existing)
            #expect(outcome.status == .success && outcome.reason == .unchanged, "\(existing): \(outcome)")
            #expect(try await scene.opens("Theirs-secret-1!"))
            #expect(try await !scene.opens("Ours-secret-2!"))
            #expect(try scene.served == "Ours-secret-2!")
        }
        #expect(await scene.push(.setSecret) == RecordOutcome(.success, .proven))
        #expect(try await scene.opens("Ours-secret-2!"))
        #expect(try await !scene.opens("Theirs-secret-1!"))
        #expect(try scene.served == "Ours-secret-2!")
    }
}
