import TestSupport
import Testing

@testable import Outbound

@Suite("SMTP client")
struct SMTPClientTests {
    func configuration(_ sink: MailSink, _ security: SMTPClient.Security) -> SMTPClient.Configuration {
        var configuration = SMTPClient.Configuration(host: "localhost", port: sink.port)
        configuration.security = security
        configuration.certificateAuthority = sink.certificateAuthority
        configuration.deadline = .seconds(120)
        if security != .none {
            configuration.login = .init(username: MailSink.username, password: WipedBytes(Array(MailSink.password.utf8)))
        }
        return configuration
    }

    func mail(to recipient: String = "ops@example.org", text: String = "hello") -> MailMessage {
        let bytes = "From: <keyturn@example.org>\r\nTo: <\(recipient)>\r\nSubject: test\r\nMessage-ID: <1@x>\r\n\r\n\(text)\r\n"
        return MailMessage(from: "keyturn@example.org", to: recipient, bytes: Array(bytes.utf8))
    }

    @Test("a mail arrives whole, by every kind of connection", arguments: SMTPClient.Security.allCases)
    func sends(_ security: SMTPClient.Security) async throws {
        let sink = try MailSink(mode: security.rawValue)
        let client = SMTPClient(configuration(sink, security))
        let lines = (1...2000).map { "line \($0)" }.joined(separator: "\r\n") + "\r\n.\r\nafter a lonely dot"
        try await client.send(mail(text: lines))
        let mails = try sink.mails()
        #expect(mails.count == 1)
        #expect(mails.first?.from == "keyturn@example.org")
        #expect(mails.first?.to == ["ops@example.org"])
        #expect(mails.first?.raw.contains("line 2000\r\n.\r\nafter a lonely dot") == true)
    }

    @Test("a server that offers no TLS gets neither login nor mail")
    func noDowngrade() async throws {
        let sink = try MailSink(mode: "none")
        let client = SMTPClient(configuration(sink, .startTLS))
        await #expect(throws: OutboundFault.self) { try await client.send(mail()) }
        #expect(try sink.mails().isEmpty)
    }

    @Test("a certificate of somebody else is refused before the login")
    func certificate() async throws {
        let sink = try MailSink(mode: "starttls")
        var configuration = configuration(sink, .startTLS)
        configuration.certificateAuthority = nil
        let client = SMTPClient(configuration)
        do {
            try await client.send(mail())
            Issue.record("it was sent")
        } catch {
            guard case .certificateRejected = error else { throw error }
        }
        #expect(try sink.mails().isEmpty)
    }

    @Test("what the server refuses is told in its words", arguments: [("nobody@example.org", 550), ("later@example.org", 451)])
    func refused(_ recipient: String, _ code: Int) async throws {
        let sink = try MailSink(mode: "starttls")
        let client = SMTPClient(configuration(sink, .startTLS))
        do {
            try await client.send(mail(to: recipient))
            Issue.record("it was sent")
        } catch {
            guard case .refused(let got, let words) = error else { throw error }
            #expect(got == code)
            #expect(words.contains(code == 550 ? "no such mailbox" : "greylisted"))
        }
    }

    @Test("a wrong password is the server's no, which is told without its words when they repeat it; and no mail goes")
    func wrongPassword() async throws {
        let sink = try MailSink(mode: "tls")
        var configuration = configuration(sink, .tls)
        configuration.login = .init(username: MailSink.username, password: WipedBytes(Array("Mistaken-1".utf8)))
        let client = SMTPClient(configuration)
        do {
            try await client.send(mail())
            Issue.record("it was sent")
        } catch {
            guard case .refused(535, let words) = error else { throw error }
            #expect(words == "535 (its words may repeat the login, and are not kept)")
        }
        #expect(try sink.mails().isEmpty)
    }

    @Test("a no that repeats the password after the login is told without its words")
    func repeatedPassword() async throws {
        let sink = try MailSink(mode: "starttls", password: "Sesame-1")
        var configuration = configuration(sink, .startTLS)
        configuration.login = .init(username: MailSink.username, password: WipedBytes(Array("Sesame-1".utf8)))
        do {
            try await SMTPClient(configuration).send(mail(to: "talker@example.org"))
            Issue.record("it was sent")
        } catch {
            guard case .refused(550, let words) = error else { throw error }
            #expect(!words.contains("not with") && words.hasPrefix("550 "))
        }
    }

    @Test(
        "addresses that would be commands never reach the wire",
        arguments: ["a@b>\r\nRCPT TO:<c@d", "a b@c", "a@b\n", "<a@b>", "a@bé"])
    func injection(_ recipient: String) async throws {
        let client = SMTPClient(SMTPClient.Configuration(host: "localhost", port: 1))
        await #expect(throws: OutboundFault.invalidRequest("an address has characters that no mailbox has")) {
            try await client.send(mail(to: recipient))
        }
    }
}
