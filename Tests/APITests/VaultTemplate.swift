internal import Access
internal import API
internal import Cryptography
internal import Domain
internal import Foundation
internal import HTTPServer
internal import JSON
internal import Logging
internal import Sealing
internal import Server
internal import Storage

/// A vault that is made once and copied for each test, since making keys, certificates and password hashes takes its time.
struct VaultTemplate: Sendable {
    let path: String
    /// The bearer token of a login of the first administrator, stored in the vault.
    let token: String
    /// The same of a user who may only look.
    let auditorToken: String
    /// The administrator's password, for confirmations.
    let password: String

    static let username = "admin"
    static let made = Task { try await make() }

    private static func make() async throws -> VaultTemplate {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("keyturn-template-\(getpid())").path
        // Of a test program that died, whose number this one has got.
        try? FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        atexit { try? FileManager.default.removeItem(atPath: NSTemporaryDirectory() + "/keyturn-template-\(getpid())") }
        let made = try Installation(layout: layout(path)).run(
            username: username, recoveryCode: RecoveryCodeUnsealer.generate(), hosts: ["localhost"])
        let password = made.password.withBytes { String(decoding: $0, as: UTF8.self) }
        let assembly = try await open(path)
        defer { assembly.close() }
        try await assembly.database.write { db in
            var bytes = Array(password.utf8)
            let secret = Secret(moving: &bytes)
            _ = try UserAccounts.create(
                username: "auditor", name: "Auditor", role: .auditor, password: secret, keyring: assembly.keyring, now: .now,
                in: db)
        }
        return VaultTemplate(
            path: path, token: try await logIn(username, password, assembly),
            auditorToken: try await logIn("auditor", password, assembly),
            password: password)
    }

    private static func logIn(_ username: String, _ password: String, _ assembly: Assembly) async throws -> String {
        let credentials = #"{"username":"\#(username)","password":"\#(password)"}"#
        let request = TestVault.request(.post, "/api/v1/authentication/auth/", credentials, [:])
        guard let token = try await Answer(admin(assembly).respond(to: request)).string("token") else {
            throw StorageFault.missing("token")
        }
        return token
    }

    /// Opens and unseals the vault in a directory.
    static func open(_ path: String) async throws -> Assembly {
        let options = AssemblyOptions(layout: layout(path), listener: ListenerConfiguration())
        let assembly = try Assembly(options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await assembly.unseal(with: KeyFileUnsealer(directory: layout(path).keys), by: .system("start"))
        return assembly
    }

    /// The admin surface of a vault, as the server has it.
    static func admin(_ assembly: Assembly) -> AdminAPI {
        AdminAPI(
            backend: assembly.backend, router: Router(Catalog.routes(assembly.backend, assembly.operational)),
            addresses: ClientAddressRule(trustedProxies: .nowhere))
    }

    static func copy(_ directory: String, to other: String) throws {
        try FileManager.default.copyItem(atPath: directory, toPath: other)
    }

    private static func layout(_ path: String) -> Installation.Layout {
        Installation.Layout(data: path + "/data", keys: path + "/keys")
    }
}
