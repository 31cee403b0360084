import Domain
import Foundation
import HTTPServer
import Server
import Testing

@testable import Audit
@testable import Storage

@Suite("Undelivered secrets")
struct UndeliveredTests {
    @Test("a fetch whose entry became durable after its deadline is 503, and the audit says that its secret was not delivered")
    func overdue() async throws {
        let server = try await LiveServer { $0.listener.limits.requestDeadline = .milliseconds(1500) }
        #expect(try await server.fetch().status == 200)
        let database = try Database.open(at: server.assembly.directory.auditDatabase)
        defer { database.close() }
        // The committer waits for the write lock as long as the driver lets it.
        let connection = try database.makeConfinedConnection(writable: true)
        try connection.execute("BEGIN IMMEDIATE")
        let late = try await server.fetch()
        try connection.execute("COMMIT")
        #expect(late.status == 503 && late.text.contains("overdue"), "\(late.text)")
        for _ in 0..<6000 where try server.entries().last?.action != .undelivered { try await Task.sleep(for: .milliseconds(10)) }
        let entries = try server.entries().suffix(2)
        #expect(entries.map(\.action) == [.fetch, .undelivered] && entries.map(\.outcome) == [.granted, .failed])
        #expect(Set(entries.map(\.request)).count == 1)
        #expect(try await server.fetch().status == 200)
        #expect(try server.entries().last?.action == .fetch)
    }
}
