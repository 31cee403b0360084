import Cryptography
import TestSupport
import Testing

@testable import PostgresClient

@Suite("SCRAM verifier")
struct ScramVerifierFuzzTests {
    /// Made by a server of PostgreSQL 15 for the password `pencil`.
    static let sample =
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

    @Test("the server's verifier of a password is told from that of another (the example of RFC 7677)")
    func known() throws {
        let verifier = try #require(ScramVerifier(Self.sample))
        #expect(try verifier.matches(Secret.of("pencil")) == true)
        #expect(try verifier.matches(Secret.of("pencils")) == false)
        #expect(try verifier.matches(Secret.of("")) == false)
        #expect(try verifier.matches(Secret.of("pëncil")) == nil)
    }

    @Test(
        "a verifier that would make us compute for long, or is cut, is none",
        arguments: [
            "", "SCRAM-SHA-256", "SCRAM-SHA-256$$", "SCRAM-SHA-256$1000001:W22Z$AAAA:AAAA", "SCRAM-SHA-256$0:W22Z$AAAA:AAAA",
            "SCRAM-SHA-1$4096:W22ZaJ0SNY7soEsUEjb6gQ==$A:B", "md5aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ])
    func refused(_ text: String) {
        #expect(ScramVerifier(text) == nil)
    }

    @Test("no text ends the process")
    func fuzz() {
        var fuzzer = Fuzzer(seed: 15, samples: [Self.sample, "SCRAM-SHA-256$1:AA==$:"])
        for _ in 0..<Fuzzer.rounds(3000) {
            if let verifier = ScramVerifier(String(decoding: fuzzer.next(), as: UTF8.self)) {
                #expect(verifier.storedKey.count == 32 && verifier.serverKey.count == 32)
            }
        }
    }
}

extension Secret {
    static func of(_ text: String) -> Secret {
        var bytes = Array(text.utf8)
        return Secret(moving: &bytes)
    }
}
