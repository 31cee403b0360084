internal import CCrypto

/// Private keys in PEM: PKCS#8 (RFC 5958), PKCS#1, SEC 1, also encrypted.
enum PEMKeyFile {
    static func read(
        _ text: UnsafeRawBufferPointer, passphrase: UnsafeRawBufferPointer?
    ) throws(SSHKeyFault) -> PrivateKeyHandle {
        guard text.count > 0, let bio = BIO_new_mem_buf(text.baseAddress, Int32(clamping: text.count)) else {
            throw .notAPrivateKey
        }
        defer { BIO_free(bio) }
        if passphrase != nil { try requireModestCost(text) }
        var question = PassphraseQuestion(answer: passphrase)
        let key = withUnsafeMutablePointer(to: &question) { question in
            PEM_read_bio_PrivateKey(bio, nil, answerPassphrase, question)
        }
        defer { ERR_clear_error() }
        if let key { return PrivateKeyHandle(owning: key) }
        guard question.wasAsked else { throw .notAPrivateKey }
        throw passphrase == nil ? .passphraseNeeded : .wrongPassphrase
    }

    /// No more rounds of PBKDF2 than this are run, whoever wrote the file: some seconds.
    static let mostRounds = 4_000_000

    /// Refuses an encrypted key (RFC 5958, 3) that says itself that opening it takes longer, since libcrypto does as it says, and one that
    /// derives its key in another way. The older encrypted forms have no such number.
    private static func requireModestCost(_ text: UnsafeRawBufferPointer) throws(SSHKeyFault) {
        guard let bio = BIO_new_mem_buf(text.baseAddress, Int32(clamping: text.count)) else { throw .notAPrivateKey }
        defer {
            BIO_free(bio)
            ERR_clear_error()
        }
        guard let sealed = PEM_read_bio_PKCS8(bio, nil, nil, nil) else { return }
        defer { X509_SIG_free(sealed) }
        var scheme: UnsafePointer<X509_ALGOR>?
        X509_SIG_get0(sealed, &scheme, nil)
        guard let form = parameters(of: scheme, NID_pbes2, PBE2PARAM_it()) else { throw .unsupported }
        let choice = form.assumingMemoryBound(to: PBE2PARAM.self)
        defer { PBE2PARAM_free(choice) }
        guard let form = parameters(of: choice.pointee.keyfunc, NID_id_pbkdf2, PBKDF2PARAM_it()) else { throw .unsupported }
        let derivation = form.assumingMemoryBound(to: PBKDF2PARAM.self)
        defer { PBKDF2PARAM_free(derivation) }
        guard (1...mostRounds).contains(ASN1_INTEGER_get(derivation.pointee.iter)) else { throw .unsupported }
    }

    /// What an algorithm's identifier says of it (RFC 8018, A); nil if it is another one.
    private static func parameters(of scheme: UnsafePointer<X509_ALGOR>?, _ kind: Int32, _ item: OpaquePointer?)
        -> UnsafeMutableRawPointer?
    {
        var (object, type, value): (OpaquePointer?, Int32, UnsafeRawPointer?) = (nil, 0, nil)
        X509_ALGOR_get0(&object, &type, &value, scheme)
        guard OBJ_obj2nid(object) == kind, type == V_ASN1_SEQUENCE, let value else { return nil }
        return ASN1_item_unpack(value.assumingMemoryBound(to: ASN1_STRING.self), item)
    }
}

/// What libcrypto is answered when it asks for the passphrase. Lives on the stack of the one call that reads a key.
private struct PassphraseQuestion {
    let answer: UnsafeRawBufferPointer?
    var wasAsked = false
}

/// `pem_password_cb`: copies the passphrase into the library's buffer; -1 refuses. Never asks a terminal.
private func answerPassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ isWriting: Int32, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let question = context?.assumingMemoryBound(to: PassphraseQuestion.self) else { return -1 }
    question.pointee.wasAsked = true
    guard let buffer, let answer = question.pointee.answer, let start = answer.baseAddress, answer.count > 0,
        answer.count <= Int(size)
    else { return -1 }
    UnsafeMutableRawPointer(buffer).copyMemory(from: start, byteCount: answer.count)
    return Int32(answer.count)
}
