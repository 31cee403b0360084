internal import CCrypto

/// HKDF with SHA-256 (RFC 5869): keys of separate purposes from one key.
package enum HKDF {
    /// A 256-bit key for the purpose that `info` names, from high-entropy input keying material.
    package static func derive(
        from input: UnsafeRawBufferPointer, salt: [UInt8] = [], info: [UInt8]
    ) throws(CryptographyFault) -> SymmetricKey {
        try SymmetricKey(bytes(from: input, salt: salt, info: info, count: SymmetricKey.byteCount))
    }

    package static func derive(from key: SymmetricKey, salt: [UInt8] = [], info: String) throws(CryptographyFault) -> SymmetricKey
    {
        try key.withBytes { (input) throws(CryptographyFault) in try derive(from: input, salt: salt, info: Array(info.utf8)) }
    }

    /// `count` bytes of output keying material, at most 8,160.
    package static func bytes(
        from input: UnsafeRawBufferPointer, salt: [UInt8], info: [UInt8], count: Int
    ) throws(CryptographyFault) -> Secret {
        guard count > 0, count <= 255 * 32 else { throw .badInput("HKDF gives 1 to 8160 bytes") }
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nil) else { throw libraryFault("EVP_PKEY_CTX_new_id") }
        defer { EVP_PKEY_CTX_free(context) }
        try check(EVP_PKEY_derive_init(context), "EVP_PKEY_derive_init")
        try check(EVP_PKEY_CTX_set_hkdf_md(context, EVP_sha256()), "EVP_PKEY_CTX_set_hkdf_md")
        try check(EVP_PKEY_CTX_set1_hkdf_salt(context, salt, Int32(clamping: salt.count)), "EVP_PKEY_CTX_set1_hkdf_salt")
        let key = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        try check(EVP_PKEY_CTX_set1_hkdf_key(context, key, Int32(clamping: input.count)), "EVP_PKEY_CTX_set1_hkdf_key")
        try check(EVP_PKEY_CTX_add1_hkdf_info(context, info, Int32(clamping: info.count)), "EVP_PKEY_CTX_add1_hkdf_info")
        return try Secret(capacity: count) { (buffer) throws(CryptographyFault) in
            var length = count
            try check(
                EVP_PKEY_derive(context, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), &length), "EVP_PKEY_derive")
            return length
        }
    }
}
