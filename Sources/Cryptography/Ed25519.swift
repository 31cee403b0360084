internal import CCrypto

/// Ed25519 signatures (RFC 8032).
package enum Ed25519 {
    package static let signatureByteCount = 64
    package static let keyByteCount = 32

    /// A private key; wiped when the last owner drops it. Immutable, so threads may share it.
    package final class SigningKey: Sendable {
        private let seed: SymmetricKey
        package let publicKey: PublicKey

        /// From the 32-byte seed.
        package init(seed: consuming Secret) throws(CryptographyFault) {
            let seed = try SymmetricKey(seed)
            self.seed = seed
            let bytes = try Self.withKey(seed) { (key) throws(CryptographyFault) in
                var bytes = [UInt8](repeating: 0, count: Ed25519.keyByteCount)
                var length = bytes.count
                try check(EVP_PKEY_get_raw_public_key(key, &bytes, &length), "EVP_PKEY_get_raw_public_key")
                return bytes
            }
            publicKey = PublicKey(bytes: bytes)
        }

        package static func random() throws(CryptographyFault) -> SigningKey {
            try SigningKey(seed: Secret.random(count: Ed25519.keyByteCount))
        }

        /// The seed, to be sealed and stored.
        package func withSeed<Output: ~Copyable, Failure: Swift.Error>(
            _ body: (UnsafeRawBufferPointer) throws(Failure) -> Output
        ) throws(Failure) -> Output {
            try seed.withBytes(body)
        }

        /// The 64-byte signature of a message.
        package func signature(for message: [UInt8]) throws(CryptographyFault) -> [UInt8] {
            try Self.withKey(seed) { (key) throws(CryptographyFault) in
                guard let context = EVP_MD_CTX_new() else { throw libraryFault("EVP_MD_CTX_new") }
                defer { EVP_MD_CTX_free(context) }
                try check(EVP_DigestSignInit(context, nil, nil, nil, key), "EVP_DigestSignInit")
                var signature = [UInt8](repeating: 0, count: Ed25519.signatureByteCount)
                var length = signature.count
                try check(EVP_DigestSign(context, &signature, &length, message, message.count), "EVP_DigestSign")
                return signature
            }
        }

        private static func withKey<Output>(
            _ seed: SymmetricKey, _ body: (OpaquePointer) throws(CryptographyFault) -> Output
        ) throws(CryptographyFault) -> Output {
            try seed.withBytes { (bytes) throws(CryptographyFault) in
                let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
                guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, start, bytes.count) else {
                    throw libraryFault("EVP_PKEY_new_raw_private_key")
                }
                defer { EVP_PKEY_free(key) }
                return try body(key)
            }
        }
    }

    package struct PublicKey: Sendable, Hashable {
        package let bytes: [UInt8]

        package init(bytes: [UInt8]) { self.bytes = bytes }

        /// Whether the signature is this key's over the message; false also for bytes that are no key or no signature.
        package func isValid(signature: [UInt8], for message: [UInt8]) -> Bool {
            guard bytes.count == Ed25519.keyByteCount, signature.count == Ed25519.signatureByteCount,
                let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
            else { return false }
            defer { EVP_PKEY_free(key) }
            guard let context = EVP_MD_CTX_new() else { return false }
            defer { EVP_MD_CTX_free(context) }
            guard EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
            let isGood = EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
            ERR_clear_error()
            return isGood
        }
    }
}
