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
        var question = PassphraseQuestion(answer: passphrase)
        let key = withUnsafeMutablePointer(to: &question) { question in
            PEM_read_bio_PrivateKey(bio, nil, answerPassphrase, question)
        }
        defer { ERR_clear_error() }
        if let key { return PrivateKeyHandle(owning: key) }
        guard question.wasAsked else { throw .notAPrivateKey }
        throw passphrase == nil ? .passphraseNeeded : .wrongPassphrase
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
