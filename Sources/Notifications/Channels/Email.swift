package import Domain
package import Outbound

/// Mail through the SMTP server that the configuration names.
package struct Email: Channel {
    package static let name = "email"
    private let client: SMTPClient
    private let sender: EmailAddress

    package init(client: SMTPClient, sender: EmailAddress) {
        self.client = client
        self.sender = sender
    }

    package var name: String { Self.name }

    package func accepts(_ recipient: String) -> Bool { EmailAddress(recipient) != nil }

    package func deliver(_ delivery: Delivery) async throws(DeliveryFault) {
        guard let recipient = EmailAddress(delivery.recipient) else {
            throw DeliveryFault(isFinal: true, words: "not an email address")
        }
        do {
            try await client.send(MailText.mail(delivery, from: sender, to: recipient))
        } catch .refused(let code, let words) where (550...559).contains(code) {
            // RFC 5321, 4.2.1: such a no will be a no again. Other codes may be about the login or the hour.
            throw DeliveryFault(isFinal: true, words: words)
        } catch {
            throw DeliveryFault(isFinal: false, words: "\(error)")
        }
    }
}
