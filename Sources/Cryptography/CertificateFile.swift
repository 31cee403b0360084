internal import CCrypto

/// What a PEM file with a certificate says about itself: for checks before and while it is in use, not for deciding whom to trust.
package struct CertificateFile: Sendable, Equatable {
    /// Seconds until it expires; negative if it has.
    package let secondsLeft: Int64
    /// Seconds since it became valid; negative if it is not valid yet.
    package let secondsSinceStart: Int64
    /// Whether the private key given belongs to it.
    package let matchesKey: Bool

    private static let byteLimit = 1 << 20

    /// Reads the first certificate of the text, and the private key.
    package init(certificate: [UInt8], key: borrowing Secret) throws(CryptographyFault) {
        guard certificate.count <= Self.byteLimit, key.count <= Self.byteLimit else {
            throw .badInput("a PEM file that is too large")
        }
        let first = try certificate.withUnsafeBufferPointer { (bytes) throws(CryptographyFault) in
            try PEMInput(UnsafeRawBufferPointer(bytes)).read { PEM_read_bio_X509($0, nil, noPassword, nil) }
        }
        defer { X509_free(first) }
        let privateKey = try key.withBytes { (bytes) throws(CryptographyFault) in
            try PEMInput(bytes).read { PEM_read_bio_PrivateKey($0, nil, noPassword, nil) }
        }
        defer { EVP_PKEY_free(privateKey) }
        matchesKey = X509_check_private_key(first, privateKey) == 1
        secondsLeft = try Self.seconds(from: nil, to: X509_get0_notAfter(first))
        secondsSinceStart = try Self.seconds(from: X509_get0_notBefore(first), to: nil)
        ERR_clear_error()
    }

    /// Nil is now.
    private static func seconds(
        from start: UnsafePointer<ASN1_TIME>?, to end: UnsafePointer<ASN1_TIME>?
    ) throws(CryptographyFault) -> Int64 {
        var days: Int32 = 0
        var seconds: Int32 = 0
        try check(ASN1_TIME_diff(&days, &seconds, start, end), "ASN1_TIME_diff")
        return Int64(days) * 86_400 + Int64(seconds)
    }
}

/// Memory that the library reads PEM text from.
private struct PEMInput: ~Copyable {
    private let bio: OpaquePointer

    init(_ bytes: UnsafeRawBufferPointer) throws(CryptographyFault) {
        guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else {
            throw libraryFault("BIO_new_mem_buf")
        }
        self.bio = bio
    }

    deinit { BIO_free(bio) }

    func read(_ parse: (OpaquePointer) -> OpaquePointer?) throws(CryptographyFault) -> OpaquePointer {
        guard let parsed = parse(bio) else { throw libraryFault("PEM_read_bio") }
        return parsed
    }
}

/// Answers the library's question for a password: there is none. Otherwise it would ask on the terminal.
private func noPassword(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ isWriting: Int32, _ context: UnsafeMutableRawPointer?
) -> Int32 { -1 }
