import Access
import Cryptography
import Domain
import Foundation
import HTTPServer
import Logging
import Outbound
import Sealing
import Server
import Synchronization
import TestSupport
import Vault

@testable import Audit
@testable import Storage

/// A whole server over TLS in this process, with an asset, an account and an application, spoken to as applications do.
final class LiveServer: Sendable {
    let assembly: Assembly
    let directory: TemporaryDirectory
    let layout: Installation.Layout

    private let client: HTTPClient

    static let secret = #"s3cr3t-"quoted"\-é"#
    static let path = "/api/v1/accounts/integration-applications/account-secret/"
    static let older = "/api/v1/accounts/service-integrations/account-secret/"

    let asset = Asset(
        id: AssetID(high: 0xA, low: 1), organization: .default, name: "web 1", address: "10.0.0.1", platform: .init(rawValue: 1),
        dateCreated: .now, dateUpdated: .now)
    let account = Account(
        id: AccountID(high: 0xB, low: 1), organization: .default, asset: AssetID(high: 0xA, low: 1), name: "root",
        username: "root@web",
        stages: SecretStages(current: 1, last: 1), dateCreated: .now, dateUpdated: .now)
    let application = Application(
        id: ApplicationID(high: 0xC, low: 1), organization: .default, name: "ci", accounts: #"{"type":"all"}"#,
        ipGroup: ["127.0.0.1"],
        dateCreated: .now, dateUpdated: .now)
    let key = "6fuSO7P1m4cj8SSlgaYdblOjNAmnxDVD7tr8"

    init(unsealed: Bool = true, _ change: (inout AssemblyOptions) -> Void = { _ in }) async throws {
        directory = try TemporaryDirectory()
        layout = Installation.Layout(data: directory.path + "/data")
        _ = try Installation(layout: layout).run(
            username: "admin", recoveryCode: RecoveryCodeUnsealer.generate(), hosts: ["localhost", "127.0.0.1"])
        let tls = ListenerConfiguration.TLSFiles(certificate: layout.certificate, key: layout.certificateKey)
        var options = AssemblyOptions(layout: layout, listener: ListenerConfiguration(tls: tls))
        // The tests have just begun; what they sign is dated in the second of the start.
        options.signatures.acceptsBeforeStart = true
        options.audit.refusals = RefusalLimits(perPrefix: 10_000, overall: 10_000)
        change(&options)
        let lines = Lines()
        assembly = try Assembly(options, logger: Logger(label: "test") { _ in Recorder(lines: lines) })
        var configuration = HTTPClient.Configuration()
        configuration.certificateAuthority = layout.certificateAuthority
        client = HTTPClient(configuration)
        self.lines = lines
        if unsealed {
            try await unseal()
            try await fill()
        }
        try assembly.listener.start()
    }

    deinit { assembly.close() }

    let lines: Lines

    func unseal() async throws {
        try await assembly.unseal(with: KeyFileUnsealer(directory: layout.keys), by: .system("start"))
    }

    private func fill() async throws {
        let (keyring, asset, account, application, key) = (assembly.keyring, asset, account, application, key)
        try await assembly.database.write { db in
            let (keys, workspace, now) = (try keyring.keys(), try SealingWorkspace(), Timestamp.now)
            func sealed(_ text: String, at place: Place) throws -> Sealed {
                var bytes = Array(text.utf8)
                return try keyring.seal(Secret(moving: &bytes), at: place, with: workspace, now: now, in: db)
            }
            try Assets.insert(keys.authenticated(asset, with: workspace), on: db)
            try Accounts.insert(keys.authenticated(account, with: workspace), on: db)
            try SecretVersions.insert(
                SecretVersion(
                    account: account.id, organization: .default, number: 1, secretType: .password,
                    secret: sealed(Self.secret, at: .accountSecret(account.id, version: 1, in: .default)), fingerprint: nil,
                    createdBy: "admin", dateCreated: now), on: db)
            try Applications.insert(keys.authenticated(application, with: workspace), on: db)
            let id: CredentialID = application.id.retyped()
            let credential = Credential(
                id: id, application: application.id, organization: .default, name: "first",
                secret: try sealed(key, at: .credentialSecret(id, in: .default)), dateCreated: now)
            try Credentials.insert(keys.authenticated(credential, with: workspace), on: db)
        }
        try await assembly.policies.reload()
    }

    /// Makes a text the account's secret, as a further version.
    func put(_ text: String) async throws {
        let (keyring, id) = (assembly.keyring, account.id)
        try await assembly.database.write { db in
            let workspace = try SealingWorkspace()
            guard let stored = try Accounts.get(id, in: .default, on: db) else { throw Refusal.notFound }
            var account = try keyring.keys().verified(stored, with: workspace)
            let number = account.stages.last + 1
            var bytes = Array(text.utf8)
            let sealed = try keyring.seal(
                Secret(moving: &bytes), at: .accountSecret(id, version: number, in: .default), with: workspace, now: .now, in: db)
            try SecretVersions.insert(
                SecretVersion(
                    account: id, organization: .default, number: number, secretType: .password, secret: sealed, fingerprint: nil,
                    createdBy: "admin", dateCreated: .now), on: db)
            account.stages = SecretStages(current: number, previous: account.stages.current, last: number)
            _ = try Accounts.update(keyring.keys().authenticated(account, with: workspace), on: db)
        }
    }

    // MARK: - Requests

    /// The headers of a signed request as the published samples send them.
    func signed(_ target: String, method: String = "GET", key: String? = nil, keyID: String? = nil, at time: Timestamp = .now)
        throws -> [String: String]
    {
        let date = HTTPDate.format(time)
        let text = "(request-target): \(method.lowercased()) \(target)\naccept: application/json\ndate: \(date)"
        var bytes = Array((key ?? self.key).utf8)
        let signature = Data(try HMACSHA256.authenticate(Array(text.utf8), key: Secret(moving: &bytes))).base64EncodedString()
        let id = keyID ?? application.id.description
        return [
            "Accept": "application/json", "Date": date, "X-Source": "jms-pam",
            "Authorization":
                #"Signature keyId="\#(id)",algorithm="hmac-sha256",headers="(request-target) accept date",signature="\#(signature)""#,
        ]
    }

    func send(_ method: HTTPRequest.Method = .get, _ target: String, _ headers: [String: String], body: [UInt8]? = nil)
        async throws -> Answer
    {
        var request = HTTPRequest(
            method, "https://127.0.0.1:\(assembly.listener.port)\(target)", headers: headers.map { .init($0.key, $0.value) })
        if let body { request.body = body.withUnsafeBytes { Outbound.WipedBytes(copying: $0) } }
        return Answer(try await client.send(request))
    }

    /// One signed fetch.
    func fetch(
        _ query: String = "asset=web%201&account=root", path: String = LiveServer.path,
        change: (inout [String: String]) -> Void = { _ in }
    ) async throws -> Answer {
        let target = path + (query.isEmpty ? "" : "?" + query)
        var headers = try signed(target)
        change(&headers)
        return try await send(.get, target, headers)
    }

    struct Answer: Sendable {
        let status: Int
        let headers: [String: String]
        let text: String

        init(_ response: HTTPResponse) {
            status = response.status
            headers = Dictionary(response.headers.map { ($0.name, $0.value) }) { first, _ in first }
            text = response.body.withBytes { String(decoding: $0, as: UTF8.self) }
        }

        /// The body without what is different in every answer.
        var withoutRequestID: String { text.replacing(/"request_id":"[^"]*"/, with: "") }
    }

    // MARK: - What is left behind

    func entries() throws -> [AuditEntry] {
        let database = try Database.open(at: assembly.directory.auditDatabase)
        defer { database.close() }
        return try database.readSync { try AuditEntries.page(after: 0, limit: 100_000, $0) }.map { try EntryReader.read($0.body) }
    }

    /// Runs a statement as somebody who has the file and knows no rule.
    func run(_ sql: String, audit: Bool = false) throws {
        let database = try Database.open(at: audit ? assembly.directory.auditDatabase : assembly.directory.database)
        defer { database.close() }
        let connection = try database.makeConfinedConnection(writable: true)
        try connection.execute("PRAGMA foreign_keys = OFF")
        try connection.execute(SQLQuery(rendered: sql))
    }
}

/// What was logged.
final class Lines: Sendable {
    private let all = Mutex<[String]>([])
    func append(_ line: String) { all.withLock { $0.append(line) } }
    var text: String { all.withLock { $0.joined(separator: "\n") } }
}

/// Keeps everything that is logged, at every level.
struct Recorder: LogHandler {
    let lines: Lines
    var logLevel = Logger.Level.trace
    var metadata = Logger.Metadata()

    init(lines: Lines) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.append("\(event.level) \(event.message) \(String(describing: event.metadata))")
    }
}
