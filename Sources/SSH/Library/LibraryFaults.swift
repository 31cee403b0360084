internal import CSSH
internal import CSSHShim
internal import Glibc

extension LibrarySession {
    /// A code of libssh2, with what it and the host said, as a fault of ours.
    func fault(_ code: Int32) -> SSHFault {
        if hasBeenInterrupted { return SSHFault(.interrupted) }
        if wire.pointee.exceeded { return SSHFault(.protocolError, words: "the host sends without end before it lets us in") }
        if wire.pointee.overdue { return SSHFault(.timedOut, words: "the host came to no end in time") }
        if let goodbye { return goodbye }
        return SSHFault(Self.kind(of: code), words: words(of: code))
    }

    /// What the host said when it ended the connection.
    private var goodbye: SSHFault? {
        guard wire.pointee.disconnected else { return nil }
        let words = withUnsafeBytes(of: wire.pointee.disconnect_words) { PrintableWords.of($0.prefix { $0 != 0 }) }
        // RFC 4253 section 11.1: 14 is "no more authentication methods". OpenSSH sends 2 with these words.
        if wire.pointee.disconnect_reason == 14 || words.contains("Too many authentication failures") {
            return SSHFault(.lockedOut, words: words)
        }
        return SSHFault(.cut, words: words)
    }

    private func words(of code: Int32) -> String {
        var text: UnsafeMutablePointer<CChar>?
        var length: Int32 = 0
        libssh2_session_last_error(handle, &text, &length, 0)
        guard let text, length > 0 else { return "libssh2 code \(code)" }
        return PrintableWords.of(UnsafeRawBufferPointer(start: text, count: Int(length)))
    }

    private static func kind(of code: Int32) -> SSHFault.Kind {
        switch code {
        case LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_SEND, LIBSSH2_ERROR_CHANNEL_CLOSED,
            LIBSSH2_ERROR_CHANNEL_EOF_SENT, LIBSSH2_ERROR_BAD_SOCKET:
            .cut
        case LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_SOCKET_TIMEOUT: .timedOut
        case LIBSSH2_ERROR_KEX_FAILURE, LIBSSH2_ERROR_METHOD_NONE, LIBSSH2_ERROR_METHOD_NOT_SUPPORTED:
            .noCommonMethod
        case LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED: .rejected
        case LIBSSH2_ERROR_PASSWORD_EXPIRED: .lockedOut
        case LIBSSH2_ERROR_ALLOC, LIBSSH2_ERROR_FILE, LIBSSH2_ERROR_KEYFILE_AUTH_FAILED, LIBSSH2_ERROR_INVAL,
            LIBSSH2_ERROR_BAD_USE, LIBSSH2_ERROR_BUFFER_TOO_SMALL:
            .localFailure
        case LIBSSH2_ERROR_CHANNEL_FAILURE: .unreachable
        default: .protocolError
        }
    }
}
