internal import CSSL
internal import Glibc

/// TLS 1.2 or newer over a socket, through OpenSSL's memory buffers, so that every wait and every write is the socket's.
final class TLSLayer {
    private let socket: Socket
    private let session: OpaquePointer
    /// What came from the server, and what is to go to it; they belong to the session.
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    private var block = [UInt8](repeating: 0, count: 16_384)

    /// Shakes hands, and is there only if the server has proved what the trust asks for.
    init(
        over socket: Socket, name: String, trust: TransportTrust, until deadline: ContinuousClock.Instant
    ) throws(TransportFault) {
        self.socket = socket
        let context = try Self.context(trust)
        defer { SSL_CTX_free(context) }
        guard let session = SSL_new(context) else { throw Self.fault("SSL_new") }
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(session)
            throw Self.fault("BIO_new")
        }
        SSL_set_bio(session, incoming, outgoing)
        self.session = session
        self.incoming = incoming
        self.outgoing = outgoing
        try setName(name, isVerified: trust.provesServer)
        do throws(TransportFault) {
            _ = try drive(until: deadline) { SSL_connect(self.session) }
        } catch {
            let verdict = SSL_get_verify_result(session)
            guard trust.provesServer, verdict != Int(X509_V_OK) else { throw error }
            throw TransportFault(.noSafeChannel, String(cString: X509_verify_cert_error_string(verdict)))
        }
    }

    deinit { SSL_free(session) }

    private static func context(_ trust: TransportTrust) throws(TransportFault) -> OpaquePointer {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw fault("SSL_CTX_new") }
        do throws(TransportFault) {
            // SSL_CTX_set_min_proto_version, a macro.
            guard SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil) == 1 else {
                throw fault("SSL_CTX_set_min_proto_version")
            }
            SSL_CTX_set_options(context, 1 << 30 /* SSL_OP_NO_RENEGOTIATION */)
            guard case .verified(let authorities) = trust else {
                SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
                return context
            }
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
            if let authorities {
                try add(authorities, to: context)
            } else if SSL_CTX_set_default_verify_paths(context) != 1 {
                throw fault("SSL_CTX_set_default_verify_paths")
            }
            return context
        } catch {
            SSL_CTX_free(context)
            throw error
        }
    }

    private static func add(_ authorities: String, to context: OpaquePointer) throws(TransportFault) {
        let bytes = Array(authorities.utf8)
        guard let count = Int32(exactly: bytes.count), let source = BIO_new_mem_buf(bytes, count) else { throw fault("BIO_new") }
        defer { BIO_free(source) }
        var added = 0
        while let certificate = PEM_read_bio_X509(source, nil, nil, nil) {
            X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate)
            X509_free(certificate)
            added += 1
        }
        ERR_clear_error()
        guard added > 0 else { throw TransportFault(.noSafeChannel, "there is no certificate among the authorities") }
    }

    /// Which name is asked for, and which one the certificate must carry (RFC 6066, RFC 6125).
    private func setName(_ name: String, isVerified: Bool) throws(TransportFault) {
        var room = in6_addr()
        let isAddress = inet_pton(AF_INET, name, &room) == 1 || inet_pton(AF_INET6, name, &room) == 1
        if !isAddress {
            let code = name.withCString { text in
                SSL_ctrl(
                    session, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), UnsafeMutableRawPointer(mutating: text)
                )
            }
            guard code == 1 else { throw Self.fault("the server's name") }
        }
        guard isVerified else { return }
        let parameters = SSL_get0_param(session)
        X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        let code =
            isAddress
            ? X509_VERIFY_PARAM_set1_ip_asc(parameters, name) : X509_VERIFY_PARAM_set1_host(parameters, name, name.utf8.count)
        guard code == 1 else { throw Self.fault("the server's name") }
    }

    func write(_ bytes: UnsafeRawBufferPointer, until deadline: ContinuousClock.Instant) throws(TransportFault) {
        var sent = 0
        while sent < bytes.count {
            let part = UnsafeRawBufferPointer(rebasing: bytes[sent..<min(bytes.count, sent + 16_384)])
            let count = try drive(until: deadline) { SSL_write(self.session, part.baseAddress, Int32(part.count)) }
            guard count > 0 else { throw TransportFault(.cut, "the server ended the channel") }
            sent += Int(count)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, until deadline: ContinuousClock.Instant) throws(TransportFault) -> Int {
        let room = Int32(clamping: buffer.count)
        return Int(try drive(until: deadline) { SSL_read(self.session, buffer.baseAddress, room) })
    }

    /// Repeats a step of OpenSSL until it is done, carrying between its buffers and the socket; 0 at the end of the channel.
    private func drive(
        until deadline: ContinuousClock.Instant, _ step: () -> Int32
    ) throws(TransportFault) -> Int32 {
        while true {
            ERR_clear_error()
            let code = step()
            let reason = SSL_get_error(session, code)
            try sendOutgoing(until: deadline)
            if code > 0 { return code }
            switch reason {
            case SSL_ERROR_WANT_READ: try receiveIncoming(until: deadline)
            case SSL_ERROR_WANT_WRITE: continue
            case SSL_ERROR_ZERO_RETURN: return 0
            default: throw Self.fault("TLS")
            }
        }
    }

    private func sendOutgoing(until deadline: ContinuousClock.Instant) throws(TransportFault) {
        while true {
            let count = block.withUnsafeMutableBytes { BIO_read(outgoing, $0.baseAddress, Int32($0.count)) }
            guard count > 0 else { return }
            let result = block.withUnsafeBytes { bytes -> TransportFault? in
                do throws(TransportFault) {
                    try socket.write(UnsafeRawBufferPointer(rebasing: bytes[..<Int(count)]), until: deadline)
                    return nil
                } catch { return error }
            }
            if let result { throw result }
        }
    }

    private func receiveIncoming(until deadline: ContinuousClock.Instant) throws(TransportFault) {
        var fault: TransportFault?
        let count = block.withUnsafeMutableBytes { buffer -> Int in
            do throws(TransportFault) { return try socket.read(into: buffer, until: deadline) } catch {
                fault = error
                return 0
            }
        }
        if let fault { throw fault }
        guard count > 0 else { throw TransportFault(.cut, "the server ended the connection") }
        guard BIO_write(incoming, block, Int32(count)) == Int32(count) else { throw Self.fault("BIO_write") }
    }

    private static func fault(_ operation: StaticString) -> TransportFault {
        var text = [CChar](repeating: 0, count: 256)
        let code = ERR_get_error()
        ERR_clear_error()
        ERR_error_string_n(code, &text, text.count)
        let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return TransportFault(.noSafeChannel, "\(operation): \(reason)")
    }
}
