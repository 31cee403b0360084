import Foundation

/// A real SMTP server (aiosmtpd) that keeps what it is sent, with STARTTLS or TLS and a login; it ends with its last owner.
package final class MailSink: Sendable {
    package struct NotStarted: Swift.Error { package let text: String }

    package struct Mail: Sendable, Equatable {
        package let from: String
        package let to: [String]
        package let subject: String
        package let text: String
        package let id: String
        /// Header and body as they came.
        package let raw: String
    }

    package static let username = "keyturn"
    package static let password = "pa ss\"wörd"

    package let port: Int
    package let certificateAuthority: String
    private let directory: TemporaryDirectory
    private let process: Process
    private let lifeline = Pipe()

    /// - Parameter mode: `starttls` (required, with a login), `tls` (with a login), `none` (nothing of either).
    package init(mode: String, password: String = MailSink.password) throws {
        directory = try TemporaryDirectory("mail")
        certificateAuthority = directory.file("certificate.pem")
        let key = directory.file("key.pem")
        let made = try ExternalProgram.run(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=sink", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificateAuthority,
            ])
        guard made.status == 0 else { throw NotStarted(text: made.standardError) }
        let script = try directory.write(Self.source, to: "sink.py")
        let output = Pipe()
        process = Process()
        // Debian's own interpreter: that is the one for which its packages are installed.
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-u", script, mode, certificateAuthority, key, directory.path, Self.username, password]
        process.standardOutput = output
        process.standardInput = lifeline
        try process.run()
        let announcement = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let port = Int(announcement.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw NotStarted(text: "the mail server said '\(announcement)'")
        }
        self.port = port
    }

    deinit { try? lifeline.fileHandleForWriting.close() }

    /// What has come so far, in order.
    package func mails() throws -> [Mail] {
        guard FileManager.default.fileExists(atPath: directory.file("mails")) else { return [] }
        let lines = String(decoding: try directory.read("mails"), as: UTF8.self).split(separator: "\n")
        return try lines.map { line in
            let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            func text(_ name: String) -> String { fields[name] as? String ?? "" }
            return Mail(
                from: text("from"), to: fields["to"] as? [String] ?? [], subject: text("subject"), text: text("text"),
                id: text("id"), raw: text("raw"))
        }
    }

    private static let source = """
        import asyncio, base64, email, email.policy, json, os, ssl, sys, threading
        from aiosmtpd.smtp import SMTP, AuthResult

        mode, certificate, key, directory, username, password = sys.argv[1:7]

        class Keep:
            async def handle_RCPT(self, server, session, envelope, address, options):
                if address.startswith("nobody@"): return "550 5.1.1 no such mailbox here"
                if address.startswith("later@"): return "451 4.7.1 greylisted, come again"
                if address.startswith("talker@"): return "550 5.7.1 not with " + password
                envelope.rcpt_tos.append(address)
                return "250 OK"
            async def handle_DATA(self, server, session, envelope):
                mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
                with open(directory + "/mails", "a") as file:
                    file.write(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "subject": mail["Subject"],
                        "text": mail.get_content(), "id": mail["Message-ID"],
                        "raw": envelope.content.decode("latin-1")}) + "\\n")
                return "250 kept"

        def authenticate(server, session, envelope, mechanism, data):
            good = data.login == username.encode() and data.password == password.encode()
            # A server that tells the whole world what it was told.
            said = "535 5.7.8 not " + data.password.decode("ascii", "ignore") + " " + base64.b64encode(data.password).decode()
            return AuthResult(success=good, handled=False, message=None if good else said)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        secured = mode != "none"

        def session():
            return SMTP(Keep(), tls_context=context if mode == "starttls" else None, require_starttls=mode == "starttls",
                authenticator=authenticate if secured else None, auth_required=secured,
                auth_require_tls=mode == "starttls", hostname="sink.example")

        async def main():
            loop = asyncio.get_running_loop()
            server = await loop.create_server(session, "localhost", 0, ssl=context if mode == "tls" else None)
            print(server.sockets[0].getsockname()[1], flush=True)
            await server.serve_forever()

        def watch():
            sys.stdin.read()
            os._exit(0)
        threading.Thread(target=watch, daemon=True).start()
        asyncio.run(main())
        """
}
