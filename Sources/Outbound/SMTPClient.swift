internal import Threads

/// Hands mails to one SMTP server (RFC 5321), over TLS unless told otherwise.
///
/// A login is never sent on a connection without TLS. Transfers block a thread of their own, never the cooperative pool.
package final class SMTPClient: Sendable {
    package enum Security: String, Sendable, CaseIterable {
        /// STARTTLS, or no mail (RFC 3207).
        case startTLS = "starttls"
        /// TLS from the first byte (RFC 8314).
        case tls
        /// No TLS: for a relay on the same machine. No login is sent.
        case none
    }

    package struct Configuration: Sendable {
        package var host: String
        package var port: Int
        package var security = Security.startTLS
        /// A file of PEM certificates to trust instead of the system's.
        package var certificateAuthority: String?
        package var login: Login?
        package var connectDeadline: Duration = .seconds(15)
        package var deadline: Duration = .seconds(60)

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    package struct Login: Sendable {
        package let username: String
        package let password: WipedBytes

        package init(username: String, password: WipedBytes) {
            self.username = username
            self.password = password
        }
    }

    private let configuration: Configuration
    private let threads = BlockingThreads(limit: 1) { EasyHandle() }

    package init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    deinit { threads.close() }

    /// Sends one mail. `OutboundFault.refused` is the server's own no, with its code.
    package func send(_ mail: MailMessage) async throws(OutboundFault) {
        try validate(mail)
        let cancellation = Cancellation()
        let configuration = configuration
        let outcome: Result<Void, OutboundFault> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isAccepted = threads.submit { handle in
                    continuation.resume(
                        returning: SMTPTransfer(mail, configuration, cancellation).perform(on: handle))
                }
                if !isAccepted { continuation.resume(returning: .failure(.unavailable("no thread could be started"))) }
            }
        } onCancel: {
            cancellation.request()
        }
        try outcome.get()
    }

    /// Refuses what would be another command on the wire, or another server.
    private func validate(_ mail: MailMessage) throws(OutboundFault) {
        let host = configuration.host.utf8
        guard !host.isEmpty, host.count <= 253, host.allSatisfy({ Self.isHostCharacter($0) }) else {
            throw .invalidRequest("the mail server's name has characters that no name has")
        }
        for address in [mail.from, mail.to] {
            guard address.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }) else {
                throw .invalidRequest("an address has characters that no mailbox has")
            }
        }
    }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "-._:[]".utf8.contains(byte)
        }
    }
}
