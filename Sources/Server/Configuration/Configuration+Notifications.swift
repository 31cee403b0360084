package import Domain
internal import Cryptography
package import Notifications
package import Outbound

extension Configuration {
    /// Where is told what happened. Secrets are named by their files, which must be their owner's alone.
    package struct Notifications: Sendable, Equatable {
        package var email = Mail()
        package var webhook = Hook()

        package struct MailServer: Sendable, Equatable {
            package var host: String
            package var port: Int
        }

        package struct Mail: Sendable, Equatable {
            /// Nil: no mail is sent.
            package var server: MailServer?
            package var security = SMTPClient.Security.startTLS
            package var certificateAuthority: String?
            /// Nil: no login.
            package var username: String?
            package var passwordFile: String?
            package var from: EmailAddress?
        }

        package struct Hook: Sendable, Equatable {
            /// Nil: nothing is posted.
            package var url: String?
            package var secretFile: String?
            package var certificateAuthority: String?
        }
    }
}

// MARK: - Reading

extension Configuration.Notifications {
    mutating func read(_ section: ConfigurationReader) {
        section.section("email") { email.read($0) }
        section.section("webhook") { webhook.read($0) }
    }
}

extension Configuration.Notifications.Mail {
    fileprivate mutating func read(_ section: ConfigurationReader) {
        section.read("server", into: &server, orNone: .mailServer)
        section.read("security", into: &security, .word)
        section.read("certificate_authority", into: &certificateAuthority, orNone: .path)
        section.read("username", into: &username, orNone: .line)
        section.read("password_file", into: &passwordFile, orNone: .path)
        section.read("from", into: &from, orNone: .emailAddress)
        if server != nil, from == nil { section.fail("from", "the sender's address must be set where a server is") }
        if (username == nil) != (passwordFile == nil) {
            section.fail(
                username == nil ? "username" : "password_file", "username and password_file go together: set both or none")
        }
        if username != nil, security == .none { section.fail("security", "a login is never sent without TLS") }
    }
}

extension Configuration.Notifications.Hook {
    fileprivate mutating func read(_ section: ConfigurationReader) {
        section.read("url", into: &url, orNone: .httpsURL)
        section.read("secret_file", into: &secretFile, orNone: .path)
        section.read("certificate_authority", into: &certificateAuthority, orNone: .path)
        if url != nil, secretFile == nil { section.fail("secret_file", "what is posted is signed: a secret must be set") }
    }
}

extension ScalarRule where Value == Configuration.Notifications.MailServer {
    fileprivate static var mailServer: ScalarRule {
        ScalarRule("a host with a port, such as mail.example.org:587") { text in
            guard let colon = text.lastIndex(of: ":") else { return nil }
            let (host, digits) = (text[..<colon], text[text.index(after: colon)...])
            let isPlain = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/@?#\\".utf8.contains($0) }
            guard (1...253).contains(host.utf8.count), isPlain, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let port = UInt16(digits), port > 0
            else { return nil }
            return .init(host: String(host), port: Int(port))
        }
    }
}

extension ScalarRule where Value == String {
    /// Something short without control characters.
    fileprivate static var line: ScalarRule {
        ScalarRule("one line of at most 256 bytes") { text in
            text.utf8.count <= 256 && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } ? text : nil
        }
    }

    fileprivate static var httpsURL: ScalarRule {
        ScalarRule("a URL that begins with https:// and names no user") { text in
            let rest = text.dropFirst("https://".count)
            guard text.hasPrefix("https://"), !rest.isEmpty, text.utf8.count <= 2000,
                text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !rest.prefix(while: { $0 != "/" }).contains("@")
            else { return nil }
            return text
        }
    }
}

extension ScalarRule where Value == EmailAddress {
    fileprivate static var emailAddress: ScalarRule { ScalarRule("an email address") { EmailAddress($0) } }
}

// MARK: - Channels

extension Configuration.Notifications {
    /// The channels that are set, with their secrets read. Throws what is wrong with a file. Blocks.
    package func channels() throws -> [any Channel] {
        var channels: [any Channel] = []
        if let server = email.server, let sender = email.from {
            var mail = SMTPClient.Configuration(host: server.host, port: server.port)
            mail.security = email.security
            mail.certificateAuthority = email.certificateAuthority
            if let username = email.username, let file = email.passwordFile {
                let password = try PrivateFile.secret(at: file)
                mail.login = .init(username: username, password: password.withBytes { WipedBytes(copying: $0) })
            }
            channels.append(Email(client: SMTPClient(mail), sender: sender))
        }
        if let url = webhook.url, let file = webhook.secretFile {
            var web = HTTPClient.Configuration()
            web.certificateAuthority = webhook.certificateAuthority
            let key = try PrivateFile.secret(at: file)
            guard key.count >= Self.shortestKey else {
                throw FileFault(path: file, reason: "a key has at least \(Self.shortestKey) bytes")
            }
            channels.append(Webhook(client: HTTPClient(web), url: url, key: key))
        }
        return channels
    }

    /// The Standard Webhooks specification's least.
    static let shortestKey = 24
}
