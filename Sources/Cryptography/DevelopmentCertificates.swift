internal import CCrypto

/// A certificate authority of one's own and a server certificate from it, for a first start without a real one.
///
/// ECDSA P-256 keys, SHA-256 signatures (RFC 5280, RFC 5480). All in PEM.
package struct DevelopmentCertificates: ~Copyable {
    package let authority: String
    package let server: String
    /// The server's private key, PKCS#8 in PEM. The authority's key is not kept: nothing else can be issued under it.
    package let serverKey: Secret

    /// Makes both, valid from five minutes ago for `days`, the server's for the DNS names and IP addresses given in text form.
    package init(commonName: String, dnsNames: [String], addresses: [String], days: Int) throws(CryptographyFault) {
        let authorityKey = try KeyPair()
        let serverKey = try KeyPair()
        let authority = try Certificate(days: days)
        try authority.setSubject("Keyturn development authority")
        try authority.setIssuer(from: authority)
        try authority.add(NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
        try authority.add(NID_key_usage, "critical,keyCertSign,cRLSign")
        try authority.sign(subject: authorityKey, by: authorityKey)

        let server = try Certificate(days: days)
        try server.setSubject(commonName)
        try server.setIssuer(from: authority)
        try server.add(NID_basic_constraints, "critical,CA:FALSE")
        try server.add(NID_key_usage, "critical,digitalSignature")
        try server.add(NID_ext_key_usage, "serverAuth")
        let names = dnsNames.map { "DNS:" + $0 } + addresses.map { "IP:" + $0 }
        guard !names.isEmpty, names.allSatisfy({ !$0.contains(",") }) else { throw .badInput("names for the certificate") }
        try server.add(NID_subject_alt_name, names.joined(separator: ","))
        try server.sign(subject: serverKey, by: authorityKey)

        // All that can fail comes first: a noncopyable value is made whole or not at all.
        let authorityText = try authority.pem()
        let serverText = try server.pem()
        self.serverKey = try serverKey.pem()
        self.authority = authorityText
        self.server = serverText
    }
}

/// A fresh P-256 key pair.
private final class KeyPair {
    let pointer: OpaquePointer

    init() throws(CryptographyFault) {
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else { throw libraryFault("EVP_PKEY_CTX_new_id") }
        defer { EVP_PKEY_CTX_free(context) }
        try check(EVP_PKEY_keygen_init(context), "EVP_PKEY_keygen_init")
        try check(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1), "EVP_PKEY_CTX_set_ec_paramgen_curve_nid")
        var key: OpaquePointer?
        try check(EVP_PKEY_keygen(context, &key), "EVP_PKEY_keygen")
        guard let key else { throw libraryFault("EVP_PKEY_keygen") }
        pointer = key
    }

    deinit { EVP_PKEY_free(pointer) }

    func pem() throws(CryptographyFault) -> Secret {
        let output = try MemoryOutput()
        try check(PEM_write_bio_PrivateKey(output.pointer, pointer, nil, nil, 0, nil, nil), "PEM_write_bio_PrivateKey")
        return output.withBytes { Secret(copying: $0) }
    }
}

private final class Certificate {
    let pointer: OpaquePointer

    init(days: Int) throws(CryptographyFault) {
        guard let certificate = X509_new() else { throw libraryFault("X509_new") }
        pointer = certificate
        try check(X509_set_version(certificate, 2), "X509_set_version")
        var serial = try SecureRandom.bytes(count: 16)
        // A serial number is positive (RFC 5280, 4.1.2.2).
        serial[0] &= 0x7F
        guard let number = BN_bin2bn(serial, Int32(serial.count), nil) else { throw libraryFault("BN_bin2bn") }
        defer { BN_free(number) }
        guard BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil else {
            throw libraryFault("BN_to_ASN1_INTEGER")
        }
        // Clocks of clients may be a little behind.
        guard X509_gmtime_adj(X509_getm_notBefore(certificate), -300) != nil,
            X509_time_adj_ex(X509_getm_notAfter(certificate), Int32(clamping: days), 0, nil) != nil
        else { throw libraryFault("X509_time_adj") }
    }

    deinit { X509_free(pointer) }

    func setSubject(_ commonName: String) throws(CryptographyFault) {
        let name = X509_get_subject_name(pointer)
        let code = commonName.withCString { text in
            text.withMemoryRebound(to: UInt8.self, capacity: 1) {
                X509_NAME_add_entry_by_txt(name, "CN", utf8MultibyteString, $0, -1, -1, 0)
            }
        }
        try check(code, "X509_NAME_add_entry_by_txt")
    }

    func setIssuer(from authority: Certificate) throws(CryptographyFault) {
        try check(X509_set_issuer_name(pointer, X509_get_subject_name(authority.pointer)), "X509_set_issuer_name")
    }

    func add(_ extensionNumber: Int32, _ value: String) throws(CryptographyFault) {
        guard let made = X509V3_EXT_conf_nid(nil, nil, extensionNumber, value) else { throw libraryFault("X509V3_EXT_conf_nid") }
        defer { X509_EXTENSION_free(made) }
        try check(X509_add_ext(pointer, made, -1), "X509_add_ext")
    }

    func sign(subject: KeyPair, by issuer: KeyPair) throws(CryptographyFault) {
        try check(X509_set_pubkey(pointer, subject.pointer), "X509_set_pubkey")
        // Returns the signature's size.
        guard X509_sign(pointer, issuer.pointer, EVP_sha256()) > 0 else { throw libraryFault("X509_sign") }
    }

    func pem() throws(CryptographyFault) -> String {
        let output = try MemoryOutput()
        try check(PEM_write_bio_X509(output.pointer, pointer), "PEM_write_bio_X509")
        return output.withBytes { String(decoding: $0, as: UTF8.self) }
    }
}

/// `MBSTRING_UTF8`, a macro that Swift does not import.
private let utf8MultibyteString: Int32 = 0x1000

/// Where the library writes PEM text; wiped when freed, since it may hold a key.
private final class MemoryOutput {
    let pointer: OpaquePointer

    init() throws(CryptographyFault) {
        guard let bio = BIO_new(BIO_s_secmem()) else { throw libraryFault("BIO_new") }
        pointer = bio
    }

    deinit {
        withBytes { ConstantTime.wipe(UnsafeMutableRawBufferPointer(mutating: $0)) }
        BIO_free(pointer)
    }

    func withBytes<Output: ~Copyable>(_ body: (UnsafeRawBufferPointer) -> Output) -> Output {
        var start: UnsafeMutableRawPointer?
        let count = BIO_ctrl(pointer, BIO_CTRL_INFO, 0, &start)
        return body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(count)))
    }
}
