/// One mail as it travels (RFC 5322), with the mailboxes of its envelope.
package struct MailMessage: Sendable {
    package let from: String
    package let to: String
    /// Header and body, lines ended by CR LF.
    package let bytes: [UInt8]

    package init(from: String, to: String, bytes: [UInt8]) {
        self.from = from
        self.to = to
        self.bytes = bytes
    }
}
