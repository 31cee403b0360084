import Cryptography
import Glibc
import Domain
import MariaDBClient
import PostgresClient
import RedisClient
import Streams
import TestSupport
import Testing

@testable import Connectors

/// Servers that are slow at every statement, and never too slow at one.
@Suite("The end of a conversation with a database")
struct DatabaseConversationTests {
    @Test("many short statements of PostgreSQL together are too long")
    func postgreSQL() async throws {
        let server = try await PostgreSQLServer()
        let fault: PostgresFault? = try await onOwnThread {
            do throws(PostgresFault) {
                let connection = try PostgresConnection(
                    to: PostgresEndpoint(name: "127.0.0.1", port: Int(server.port), database: "postgres", channel: .clear),
                    user: PostgreSQLServer.superuser, password: .of(PostgreSQLServer.superuserPassword),
                    limits: PostgresLimits(step: .seconds(30), conversation: .seconds(4)))
                for _ in 0..<40 { try connection.run("SELECT pg_sleep(0.4)") }
                return nil
            } catch { return error }
        }
        #expect(fault?.kind == .timedOut && fault?.words.contains("conversation") == true, "\(String(describing: fault))")
    }

    @Test("many short statements of MariaDB together are too long")
    func mariaDB() async throws {
        let server = try await MariaDBServer()
        let fault: MariaDBFault? = try await onOwnThread {
            do throws(MariaDBFault) {
                let connection = try MariaDBConnection(
                    to: TransportEndpoint(name: "127.0.0.1", port: Int(server.port), trust: .clear),
                    user: MariaDBServer.administrator, password: .of(MariaDBServer.administratorPassword),
                    limits: MariaDBLimits(step: .seconds(30), conversation: .seconds(4)))
                for _ in 0..<40 { try connection.run("DO SLEEP(0.4)") }
                return nil
            } catch { return error }
        }
        #expect(fault?.kind == .timedOut && fault?.words.contains("conversation") == true, "\(String(describing: fault))")
    }

    @Test("a Redis that answers each command late is left when all of them have taken too long")
    func redis() async throws {
        let server = try ScriptedServer { client in
            while !client.read().isEmpty {
                // A byte now and then, each well within the step.
                for byte in "+OK\r\n".utf8 {
                    usleep(60_000)
                    try client.send([byte])
                }
            }
        }
        let port = Int(server.port)
        let fault: RedisFault? = try await onOwnThread {
            do throws(RedisFault) {
                let connection = try RedisConnection(
                    to: TransportEndpoint(name: "127.0.0.1", port: port, trust: .clear),
                    limits: RedisLimits(step: .seconds(20), conversation: .seconds(3)))
                for _ in 0..<60 { _ = try connection.run("PING") }
                return nil
            } catch { return error }
        }
        #expect(fault?.kind == .timedOut && fault?.words.contains("conversation") == true, "\(String(describing: fault))")
        _ = server
    }
}
