import JSON
import TestSupport

/// The audit of a server as `keyturnd audit export` writes it.
struct AuditExport {
    /// One for each entry, oldest first.
    let lines: [String]
    let entries: [JSONValue]

    init(_ server: ServerProcess, after seq: Int64 = 0) async throws {
        let exported = try await server.operate(["audit", "export", "--after", "\(seq)"])
        guard exported.succeeded else {
            throw ProgramFault.unexpected("audit export ended with \(exported.ending)", output: exported.standardError)
        }
        lines = exported.text.split(separator: "\n").map(String.init)
        entries = try lines.map { try JSONDocument.parse($0) }
    }

    /// Entries of an action, such as `secret.fetch`.
    func entries(_ action: String, outcome: String? = nil) -> [JSONValue] {
        entries.filter { $0["action"]?.string == action && (outcome == nil || $0["outcome"]?.string == outcome) }
    }

    /// Verifies the chain; the server may run or not.
    static func isWhole(_ server: ServerProcess) async throws -> Bool {
        let verified = try await server.operate(["audit", "verify", "--json"])
        return try verified.succeeded && JSONDocument.parse(verified.output)["whole"]?.bool == true
    }
}
