internal import API
internal import Audit
internal import Cryptography
internal import Domain
internal import HTTPServer
internal import JSON
internal import Logging
internal import Sealing
internal import Server
internal import Storage
internal import TestSupport

/// A whole vault in a directory of its own, made like every other and spoken to through the admin API without a socket.
final class TestVault: Sendable {
    let assembly: Assembly
    /// The bearer token of the first administrator.
    let token: String
    /// The bearer token of a user who may only look.
    let auditorToken: String
    /// The administrator's password, for confirmations.
    let password: String
    static let username = VaultTemplate.username
    private let admin: AdminAPI
    private let directory: TemporaryDirectory

    /// A copy of the template, unsealed, with the administrator logged in.
    static func make() async throws -> TestVault {
        let template = try await VaultTemplate.made.value
        let directory = try TemporaryDirectory()
        for name in ["data", "keys"] { try VaultTemplate.copy(template.path + "/" + name, to: directory.path + "/" + name) }
        let assembly = try await VaultTemplate.open(directory.path)
        return TestVault(assembly: assembly, directory: directory, template: template)
    }

    private init(assembly: Assembly, directory: TemporaryDirectory, template: VaultTemplate) {
        self.assembly = assembly
        self.directory = directory
        token = template.token
        auditorToken = template.auditorToken
        password = template.password
        admin = VaultTemplate.admin(assembly)
    }

    deinit { assembly.close() }

    var backend: Backend { assembly.backend }
    /// Every route of the product.
    var routes: [Route] { Catalog.routes(backend, assembly.operational) }

    /// One request, by default of the administrator to the default organization.
    func send(
        _ method: HTTPServer.Method, _ path: String, _ body: String? = nil, in organization: String? = nil, token: String? = nil,
        headers: [String: String] = [:]
    ) async throws -> Answer {
        var all = headers
        if token != "" { all["Authorization"] = "Bearer " + (token ?? self.token) }
        if let organization { all["X-JMS-ORG"] = organization }
        return try Answer(await admin.respond(to: Self.request(method, path, body, all)))
    }

    /// The entries of the audit from the first to the last, by what they are found by.
    func audit() throws -> [AuditColumns] { try auditRows().map(\.columns) }

    /// The entries of the audit as they were written.
    func auditBodies() throws -> [String] { try auditRows().map { String(decoding: $0.body, as: UTF8.self) } }

    private func auditRows() throws -> [AuditRow] {
        let database = try Database.open(at: assembly.directory.auditDatabase)
        defer { database.close() }
        return try database.readSync { try AuditEntries.page(after: 0, limit: .max, $0) }
    }

    static func request(
        _ method: HTTPServer.Method, _ path: String, _ body: String?, _ headers: [String: String]
    ) -> HTTPServer.Request {
        var text = body ?? ""
        let id = Domain.RequestID.random()
        return HTTPServer.Request(
            method: method, rawTarget: Array(path.utf8),
            headers: headers.map { .init(name: Array($0.key.utf8), value: Array($0.value.utf8)) },
            body: text.withUTF8 { WipedBytes(copying: UnsafeRawBufferPointer($0)) }, peer: PeerAddress(ipv4: 0x7F00_0001),
            requestID: HTTPServer.RequestID(high: id.high, low: id.low))
    }
}

/// What came back: the status and the body, read as JSON where there is one.
struct Answer: Sendable {
    let status: Int
    let headers: [String: String]
    let bytes: [UInt8]

    init(_ response: Response) throws {
        status = response.status
        headers = Dictionary(response.headers.map { ("\($0.name)", $0.value) }) { $1 }
        bytes =
            switch response.body {
            case .bytes(let bytes): bytes
            case .sensitive(let buffer): buffer.withBytes { Array($0) }
            case .none, .shared, .stream: []
            }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    var json: JSONValue {
        get throws { try JSONDocument.parse(bytes, limits: JSONLimits(bytes: 64 << 20, values: 5_000_000)) }
    }

    /// A string of the answer's object, by its path: `"node.name"`.
    func string(_ path: String) throws -> String? { try value(path)?.string }

    func int(_ path: String) throws -> Int64? { try value(path)?.int }

    func value(_ path: String) throws -> JSONValue? {
        var value: JSONValue? = try json
        for name in path.split(separator: ".") {
            if let place = Int(name) {
                value = value?.array.flatMap { Array($0).dropFirst(place).first }
            } else {
                value = value?[String(name)]
            }
        }
        return value
    }

    /// One field of every row of a list, bare or paged.
    func column(_ name: String) throws -> [String] {
        let root = try json
        return (root.array ?? root["results"]?.array).map { $0.compactMap { $0[name]?.string } } ?? []
    }
}
