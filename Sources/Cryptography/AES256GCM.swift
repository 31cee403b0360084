internal import CCrypto

/// AES-256 in Galois/Counter mode (NIST SP 800-38D) with a random 96-bit nonce. Reuses its contexts; confined to one thread.
///
/// A sealed message is nonce (12 bytes), ciphertext, tag (16 bytes). With random nonces a key may seal at most 2^32 messages
/// (SP 800-38D, 8.3); whoever owns the key counts.
package final class AES256GCM {
    package static let nonceByteCount = 12
    package static let tagByteCount = 16
    package static let overhead = nonceByteCount + tagByteCount

    private let sealing: OpaquePointer
    fileprivate let opening: OpaquePointer
    /// The key that `opening` is set up for, while it is held.
    fileprivate var held: SymmetricKey?
    fileprivate var holdsKey = false

    package init() throws(CryptographyFault) {
        guard let sealing = EVP_CIPHER_CTX_new() else { throw libraryFault("EVP_CIPHER_CTX_new") }
        guard let opening = EVP_CIPHER_CTX_new() else {
            EVP_CIPHER_CTX_free(sealing)
            throw libraryFault("EVP_CIPHER_CTX_new")
        }
        self.sealing = sealing
        self.opening = opening
        try check(EVP_EncryptInit_ex(sealing, EVP_aes_256_gcm(), nil, nil, nil), "EVP_EncryptInit_ex")
        try check(EVP_DecryptInit_ex(opening, EVP_aes_256_gcm(), nil, nil, nil), "EVP_DecryptInit_ex")
    }

    deinit {
        EVP_CIPHER_CTX_free(sealing)
        EVP_CIPHER_CTX_free(opening)
    }

    /// Encrypts under a fresh random nonce, binding the associated data.
    package func seal(
        _ plaintext: UnsafeRawBufferPointer, key: SymmetricKey, associatedData: [UInt8]
    ) throws(CryptographyFault) -> [UInt8] {
        try seal(plaintext, key: key, associatedData: associatedData, nonce: SecureRandom.bytes(count: Self.nonceByteCount))
    }

    /// With a nonce given by the caller: for known-answer tests, and nothing else.
    func seal(
        _ plaintext: UnsafeRawBufferPointer, key: SymmetricKey, associatedData: [UInt8], nonce: [UInt8]
    ) throws(CryptographyFault) -> [UInt8] {
        guard nonce.count == Self.nonceByteCount else { throw .badInput("a nonce has 12 bytes") }
        guard let size = Int32(exactly: plaintext.count), let dataSize = Int32(exactly: associatedData.count) else {
            throw .badInput("too long to seal")
        }
        try key.withBytes { (key) throws(CryptographyFault) in
            try check(
                EVP_EncryptInit_ex(sealing, nil, nil, key.baseAddress?.assumingMemoryBound(to: UInt8.self), nonce),
                "EVP_EncryptInit_ex")
        }
        var moved: Int32 = 0
        if dataSize > 0 { try check(EVP_EncryptUpdate(sealing, nil, &moved, associatedData, dataSize), "EVP_EncryptUpdate") }
        var message = [UInt8](repeating: 0, count: Self.overhead + plaintext.count)
        let code = message.withUnsafeMutableBufferPointer { out -> Int32 in
            guard let start = out.baseAddress else { return 0 }
            start.update(from: nonce, count: Self.nonceByteCount)
            let body = start + Self.nonceByteCount
            if size > 0,
                EVP_EncryptUpdate(sealing, body, &moved, plaintext.baseAddress?.assumingMemoryBound(to: UInt8.self), size) != 1
            {
                return 0
            }
            guard EVP_EncryptFinal_ex(sealing, body + Int(size), &moved) == 1 else { return 0 }
            return EVP_CIPHER_CTX_ctrl(sealing, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagByteCount), body + Int(size))
        }
        try check(code, "EVP_EncryptFinal_ex")
        return message
    }

    /// Opens a sealed message held in an array, from an offset on.
    package func open(
        _ message: [UInt8], from offset: Int = 0, key: SymmetricKey, associatedData: [UInt8]
    ) throws(CryptographyFault) -> Secret {
        guard (0...message.count).contains(offset) else { throw .notAuthentic }
        // The closure may return copyable values only, so the secret leaves it through a variable.
        var opened: Secret?
        var fault = CryptographyFault.notAuthentic
        message.withUnsafeBytes { bytes in
            do throws(CryptographyFault) {
                opened = try open(UnsafeRawBufferPointer(rebasing: bytes[offset...]), key: key, associatedData: associatedData)
            } catch { fault = error }
        }
        guard let opened else { throw fault }
        return opened
    }

    /// Opens a sealed message; fails if message, key or associated data differ in one bit from what was sealed.
    package func open(
        _ message: UnsafeRawBufferPointer, key: SymmetricKey, associatedData: [UInt8]
    ) throws(CryptographyFault) -> Secret {
        guard message.count >= Self.overhead, let size = Int32(exactly: message.count - Self.overhead),
            let dataSize = Int32(exactly: associatedData.count),
            let start = message.baseAddress?.assumingMemoryBound(to: UInt8.self)
        else { throw .notAuthentic }
        try prepare(key, nonce: start)
        var moved: Int32 = 0
        if dataSize > 0 { try check(EVP_DecryptUpdate(opening, nil, &moved, associatedData, dataSize), "EVP_DecryptUpdate") }
        let body = start + Self.nonceByteCount
        return try Secret(capacity: Int(size)) { (buffer) throws(CryptographyFault) in
            // The library wants a place to write even when there is nothing to write.
            var nothing: UInt8 = 0
            return try withUnsafeMutablePointer(to: &nothing) { (empty) throws(CryptographyFault) in
                let out = size > 0 ? buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) : empty
                if size > 0 { try check(EVP_DecryptUpdate(opening, out, &moved, body, size), "EVP_DecryptUpdate") }
                let tag = UnsafeMutableRawPointer(mutating: UnsafeRawPointer(body + Int(size)))
                try check(
                    EVP_CIPHER_CTX_ctrl(opening, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagByteCount), tag), "EVP_CTRL_AEAD_SET_TAG")
                guard EVP_DecryptFinal_ex(opening, out, &moved) == 1 else {
                    ERR_clear_error()
                    throw .notAuthentic
                }
                return Int(size)
            }
        }
    }

    /// Sets the opening context up for a message; for a key that is held only the nonce is new.
    private func prepare(_ key: SymmetricKey, nonce: UnsafePointer<UInt8>) throws(CryptographyFault) {
        if let held, held === key {
            try check(EVP_DecryptInit_ex(opening, nil, nil, nil, nonce), "EVP_DecryptInit_ex")
            return
        }
        held = nil
        try key.withBytes { (key) throws(CryptographyFault) in
            try check(
                EVP_DecryptInit_ex(opening, nil, nil, key.baseAddress?.assumingMemoryBound(to: UInt8.self), nonce),
                "EVP_DecryptInit_ex")
        }
        if holdsKey { held = key }
    }
}

// MARK: - Many messages under one key

extension AES256GCM {
    /// From now on the key of the last opened message stays set up for the next one.
    package func holdKey() { holdsKey = true }

    /// Ends that, and overwrites what the context still has of the key.
    package func letGoOfKey() {
        holdsKey = false
        guard held != nil else { return }
        held = nil
        // Without memory for it the context keeps the key; it is tried again with the next key then.
        let nothing = [UInt8](repeating: 0, count: SymmetricKey.byteCount)
        _ = EVP_DecryptInit_ex(opening, nil, nil, nothing, nil)
    }
}
