import Testing

@testable import PostgresClient

@Suite("Quoting for PostgreSQL")
struct PostgresQuotingTests {
    @Test("quotes are doubled, and nothing else of a name is changed")
    func names() throws {
        #expect(try PostgresQuoting.identifier("plain") == "\"plain\"")
        #expect(try PostgresQuoting.identifier("a\"; DROP ROLE b; --") == "\"a\"\"; DROP ROLE b; --\"")
        #expect(try PostgresQuoting.identifier("\"\u{301}") == "\"\"\"\u{301}\"")
    }

    @Test("a name that the server would cut, or that is none, is refused")
    func refused() throws {
        #expect(try PostgresQuoting.identifier(String(repeating: "n", count: 63)).utf8.count == 65)
        for name in ["", "a\0b", String(repeating: "n", count: 64), String(repeating: "é", count: 32)] {
            #expect(throws: PostgresFault.self) { try PostgresQuoting.identifier(name) }
        }
    }

    @Test("a backslash is read the same whatever the server's settings are")
    func literals() throws {
        #expect(try PostgresQuoting.literal("it's") == "'it''s'")
        #expect(try PostgresQuoting.literal("a\\'b") == " E'a\\\\''b'")
        #expect(throws: PostgresFault.self) { try PostgresQuoting.literal("a\0") }
    }
}
