internal import CCurl
internal import CCurlShim

/// One mail on its way to the server: the options of the transfer, and how much was sent. Lives on one thread.
final class SMTPTransfer {
    private let mail: MailMessage
    private let configuration: SMTPClient.Configuration
    private let cancellation: Cancellation
    private var sent = 0
    /// The last no of the server (RFC 5321, 4.2.1: 4 or 5), for the person who must find out why; its goodbye comes after it.
    private var lastRefusal = ""
    /// Whether a connection was made for this mail (RFC 5321, 4.2.2: 220) and its login is not accepted yet (RFC 4954, 6: 235). One that is
    /// used again was logged in for a mail before.
    private var isLoggingIn = false

    init(_ mail: MailMessage, _ configuration: SMTPClient.Configuration, _ cancellation: Cancellation) {
        self.mail = mail
        self.configuration = configuration
        self.cancellation = cancellation
    }

    func perform(on handle: EasyHandle) -> Result<Void, OutboundFault> {
        guard !cancellation.isRequested else { return .failure(.cancelled) }
        do throws(OutboundFault) {
            try handle.reset()
            try setConnection(on: handle)
            let recipients = curl_slist_append(nil, mail.to)
            defer { curl_slist_free_all(recipients) }
            guard recipients != nil else { throw .unavailable("out of memory") }
            try handle.set(CURLOPT_MAIL_FROM, mail.from)
            try handle.set(CURLOPT_MAIL_RCPT, pointer: UnsafeMutableRawPointer(recipients))
            try handle.set(CURLOPT_UPLOAD, 1)
            try handle.set(CURLOPT_INFILESIZE_LARGE, size: mail.bytes.count)
            let context = Unmanaged.passUnretained(self).toOpaque()
            try handle.setSender(sendMail, context: context)
            try handle.setReceivers(body: ignoreBody, header: receiveAnswer, watcher: watchMail, context: context)
            try withExtendedLifetime(self) { () throws(OutboundFault) in try handle.perform() }
            return .success(())
        } catch {
            return .failure(explained(error, on: handle))
        }
    }

    private func setConnection(on handle: EasyHandle) throws(OutboundFault) {
        let scheme = configuration.security == .tls ? "smtps" : "smtp"
        try handle.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        try handle.set(CURLOPT_URL, "\(scheme)://\(configuration.host):\(configuration.port)")
        try handle.setTransportSecurity(certificateAuthority: configuration.certificateAuthority)
        try handle.set(CURLOPT_CONNECTTIMEOUT_MS, configuration.connectDeadline)
        try handle.set(CURLOPT_TIMEOUT_MS, configuration.deadline)
        try handle.set(CURLOPT_PROXY, "")
        guard configuration.security != .none else { return }
        try handle.set(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue))
        guard let login = configuration.login else { return }
        try handle.set(CURLOPT_USERNAME, login.username)
        let password = WipedBuffer(capacity: login.password.count + 1)
        login.password.withBytes { password.append($0) }
        password.append(0)
        try password.take().withBytes { (bytes) throws(OutboundFault) in
            guard let start = bytes.baseAddress else { return }
            try handle.set(CURLOPT_PASSWORD, bytes: start.assumingMemoryBound(to: CChar.self))
        }
    }

    /// An answer of the server's own says more than the library's words.
    private func explained(_ fault: OutboundFault, on handle: EasyHandle) -> OutboundFault {
        switch fault {
        case .unavailable, .interrupted:
            guard let code = try? handle.responseStatus(), (400...599).contains(code) else { return fault }
            return .refused(code: code, lastRefusal)
        default: return fault
        }
    }

    // MARK: - What the callbacks bring

    fileprivate func send(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, mail.bytes.count - sent)
        buffer.copyBytes(from: mail.bytes[sent..<(sent + count)])
        sent += count
        return count
    }

    fileprivate func receive(answer bytes: UnsafeRawBufferPointer) {
        if bytes.starts(with: "220".utf8) { isLoggingIn = true }
        if bytes.starts(with: "235".utf8) { isLoggingIn = false }
        guard let first = bytes.first, first == UInt8(ascii: "4") || first == UInt8(ascii: "5") else { return }
        let text = bytes.prefix(200).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: " ") }
        lastRefusal = String(decoding: text, as: UTF8.self)
        while lastRefusal.last == " " { lastRefusal.removeLast() }
        if mayRepeatLogin(bytes) { lastRefusal = lastRefusal.prefix(3) + " (its words may repeat the login, and are not kept)" }
    }

    /// Until the login is accepted, a no is about the login or may be; in one form or another it may tell it. Later the password itself is
    /// looked for.
    private func mayRepeatLogin(_ answer: UnsafeRawBufferPointer) -> Bool {
        guard let login = configuration.login, configuration.security != .none, !login.password.isEmpty else { return false }
        if isLoggingIn { return true }
        return login.password.withBytes { password in
            guard password.count <= answer.count else { return false }
            return (0...(answer.count - password.count)).contains { answer[$0..<($0 + password.count)].elementsEqual(password) }
        }
    }

    fileprivate var isCancelled: Bool { cancellation.isRequested }
}

// MARK: - Callbacks of the library, on the thread of the transfer

private func transfer(_ context: UnsafeMutableRawPointer?) -> SMTPTransfer? {
    context.map { Unmanaged<SMTPTransfer>.fromOpaque($0).takeUnretainedValue() }
}

private func sendMail(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?)
    -> Int
{
    let (room, overflow) = size.multipliedReportingOverflow(by: count)
    guard !overflow, let bytes else { return 0 }
    return transfer(context)?.send(into: UnsafeMutableRawBufferPointer(start: bytes, count: room)) ?? 0
}

private func ignoreBody(_: UnsafeMutablePointer<CChar>?, _: Int, _ count: Int, _: UnsafeMutableRawPointer?) -> Int { count }

private func receiveAnswer(
    _ bytes: UnsafeMutablePointer<CChar>?, _: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    transfer(context)?.receive(answer: UnsafeRawBufferPointer(start: bytes, count: count))
    return count
}

private func watchMail(_ context: UnsafeMutableRawPointer?, _: Int64, _: Int64, _: Int64, _: Int64) -> Int32 {
    transfer(context)?.isCancelled == true ? 1 : 0
}
