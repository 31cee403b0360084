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
}
