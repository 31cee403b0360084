import CHTTPShim
import Synchronization

/// Certificate, key and ticket key of one listener.
// Unchecked: a C resource whose functions are all thread-safe; freed when the last holder is gone.
final class TLSIdentity: @unchecked Sendable {
    /// TLS 1.3 and 1.2 with forward secrecy and authenticated encryption only. TLS 1.2 also has no CBC, RSA key exchange,
    /// static DH or SHA-1 here; renegotiation initiated by clients is off in GnuTLS by default.
    static let priorities =
        "NONE:+VERS-TLS1.3:+VERS-TLS1.2:+ECDHE-ECDSA:+ECDHE-RSA:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:+AEAD"
        + ":+COMP-NULL:+CTYPE-SRV-X509:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:+GROUP-SECP521R1"
        + ":+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SHA384:+SIGN-ECDSA-SHA512:+SIGN-ECDSA-SECP256R1-SHA256:+SIGN-ECDSA-SECP384R1-SHA384"
        + ":+SIGN-ECDSA-SECP521R1-SHA512:+SIGN-EDDSA-ED25519:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-PSS-RSAE-SHA384"
        + ":+SIGN-RSA-PSS-RSAE-SHA512:+SIGN-RSA-SHA256:+SIGN-RSA-SHA384:+SIGN-RSA-SHA512:%SERVER_PRECEDENCE"

    /// How long one ticket key is used.
    private static let ticketLife = Duration.seconds(12 * 3600)

    let context: OpaquePointer
    private let files: ListenerConfiguration.TLSFiles
    private let ticketsSince = Mutex(MonotonicTime.now)

    init(_ files: ListenerConfiguration.TLSFiles) throws(ListenerError) {
        guard let context = khttp_tls_create() else {
            throw .certificate(file: files.certificate, reason: "GnuTLS could not be prepared")
        }
        self.context = context
        self.files = files
        try load()
    }

    deinit {
        khttp_tls_destroy(context)
    }

    /// Reads the files again. After an error the former certificate stays in use.
    func load() throws(ListenerError) {
        let code = khttp_tls_load(context, files.certificate, files.key)
        guard code != 0 else { return }
        throw .certificate(file: files.certificate, reason: String(cString: khttp_tls_describe(code)))
    }

    /// Replaces the ticket key when it has served its time.
    func rotateTicketsIfDue(_ now: MonotonicTime) {
        let isDue = ticketsSince.withLock { since in
            guard now.since(since) > Self.ticketLife else { return false }
            since = now
            return true
        }
        if isDue { _ = khttp_tls_rotate_tickets(context) }
    }
}
