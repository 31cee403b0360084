import TestSupport
import Testing

@testable import Cryptography

@Suite("Unix password hashes")
struct UnixPasswordTests {
    @Test("hashes that openssl makes match their password and no other", arguments: ["-6", "-5", "-1"])
    func openssl(kind: String) throws {
        let made = try ExternalProgram.run("openssl", ["passwd", kind, "-salt", "saltsalt", "a password"])
        let hash = Array(made.output.dropLast())
        #expect(UnixPassword.matches(Secret(Array("a password".utf8)), hash: hash) == true)
        #expect(UnixPassword.matches(Secret(Array("a passworD".utf8)), hash: hash) == false)
        #expect(UnixPassword.matches(Secret([]), hash: hash) == false)
        #expect(UnixPassword.matches(Secret([0x61, 0, 0x62]), hash: hash) == false)
    }

    @Test(
        "yescrypt and bcrypt, as perl's crypt makes them",
        arguments: ["$y$j9T$abcdefghijklmnopqrstu/", "$2b$05$abcdefghijklmnopqrstuu", "$6$rounds=5000$saltsalt$"])
    func perl(setting: String) throws {
        let made = try ExternalProgram.run("perl", ["-e", "print crypt($ARGV[0], $ARGV[1])", "a password", setting])
        try #require(made.output.count > setting.utf8.count)
        #expect(UnixPassword.matches(Secret(Array("a password".utf8)), hash: made.output) == true)
        #expect(UnixPassword.matches(Secret(Array("b password".utf8)), hash: made.output) == false)
    }

    @Test(
        "what is no hash, or would cost hours, is unknown",
        arguments: [
            "", "!", "*", "x", "!$6$salt$abc", "$6$", "$6$rounds=999999999$salt$aaaaaaaaaaaaaaaaaaaaaaaa",
            "$2b$31$abcdefghijklmnopqrstuuaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "$y$jFT$abcdefghijklmnopqrstu/$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "$y$zzzzzz$abc$aaaaaaaaaaaa",
            "$99$what$isthisisthis", "plainplainplain", "*0", "a:b:c:d:e:f:g:h",
        ])
    func unknown(hash: String) {
        #expect(UnixPassword.matches(Secret(Array("a password".utf8)), hash: Array(hash.utf8)) == nil)
    }
}
