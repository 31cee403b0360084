internal import Cryptography
internal import Domain
internal import Outbound

/// Writes a message as a mail: header fields (RFC 5322) and plain text in UTF-8 (MIME, RFC 2045).
enum MailText {
    static func mail(_ delivery: Delivery, from sender: EmailAddress, to recipient: EmailAddress) -> MailMessage {
        let domain = sender.text.split(separator: "@").last ?? "localhost"
        let date = HTTPDate.format(delivery.dateCreated).replacing("GMT", with: "+0000")
        var lines = [
            "From: Keyturn <\(sender)>",
            "To: <\(recipient)>",
            "Subject: \(field(delivery.subject))",
            "Date: \(date)",
            // The same for each attempt, so that a mail sent twice is seen once.
            "Message-ID: <\(delivery.id)@\(domain)>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            "",
        ]
        // Of 57 bytes come the 76 characters that a line may have (RFC 2045, 6.8).
        let body = Array(delivery.text.utf8)
        for start in stride(from: 0, to: body.count, by: 57) {
            lines.append(Base64.encode(Array(body[start..<min(start + 57, body.count)])))
        }
        let text = lines.joined(separator: "\r\n") + "\r\n"
        return MailMessage(from: sender.text, to: recipient.text, bytes: Array(text.utf8))
    }

    /// Text of a header field: printable ASCII as it is, anything else in encoded words of whole characters (RFC 2047).
    static func field(_ text: String) -> String {
        let isPlain = text.utf8.count <= 60 && text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?")
        if isPlain { return text }
        var words: [[UInt8]] = [[]]
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || scalar.value == 0x7F
            let bytes = isControl ? [0x20] : Array(String(Character(scalar)).utf8)
            // 42 bytes are 56 characters of Base64, and a word may have 75 characters.
            if let last = words.last, last.count + bytes.count > 42 { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?utf-8?B?\(Base64.encode($0))?=" }.joined(separator: "\r\n ")
    }
}
