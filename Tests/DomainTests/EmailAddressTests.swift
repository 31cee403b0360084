import TestSupport
import Testing

@testable import Domain

@Suite("Email address")
struct EmailAddressTests {
    @Test(
        "mailboxes as people have them are read", arguments: ["a@b", "ops+keyturn@example.org", "o'neil@a-b.example", "_@x.y.z"])
    func reads(_ text: String) {
        #expect(EmailAddress(text)?.text == text)
    }

    @Test(
        "everything else is refused",
        arguments: [
            "", "@", "a@", "@b", "a@b@c", "a b@c", "a@b c", "a@b\r\nBcc: c@d", "<a@b>", "a..b@c", ".a@c", "a.@c", "a@.c", "a@c.",
            "a@b..c",
            "\"a b\"@c", "a@[127.0.0.1]", "é@b", "a@bé", "a,b@c", String(repeating: "a", count: 65) + "@b",
            "a@" + String(repeating: "b", count: 254),
        ])
    func refuses(_ text: String) {
        #expect(EmailAddress(text) == nil)
    }

    @Test("whatever is taken for a mailbox can end no line and begin no second one")
    func fuzz() {
        var fuzzer = Fuzzer(seed: 32, samples: ["ops+keyturn@example.org", "o'neil@a-b.example", "_@x.y.z", "a@b\r\nBcc: c@d"])
        var read = 0
        for _ in 0..<Fuzzer.rounds(10_000) {
            guard let address = EmailAddress(String(decoding: fuzzer.next(), as: UTF8.self)) else { continue }
            read += 1
            #expect(address.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !" <>,;:\\\"()[]".utf8.contains($0) })
            #expect(address.text.utf8.count(where: { $0 == UInt8(ascii: "@") }) == 1)
        }
        #expect(read > 50)
    }
}
