internal import CCrypto

/// A private SSH key that signs logins (RFC 4252, section 7).
// `@unchecked Sendable`: the key is immutable, and libcrypto allows threads to sign with one key at the same time.
package final class SSHSigningKey: @unchecked Sendable {
    package let publicKey: SSHPublicKey
    private let handle: PrivateKeyHandle

    /// Reads the forms that `SSHKeyPair.read` reads, without a passphrase, and without its costly check: a key that is not sound makes
    /// signatures that nobody accepts.
    package init(_ text: borrowing Secret) throws(SSHKeyFault) {
        guard text.count <= 64 * 1024 else { throw .notAPrivateKey }
        handle = try text.withBytes { (bytes) throws(SSHKeyFault) in
            if OpenSSHKeyFile.looksLikeOne(bytes) { return try OpenSSHKeyFile.read(bytes, passphrase: nil).0 }
            return try PEMKeyFile.read(bytes, passphrase: nil)
        }
        publicKey = try SSHKeyPair(handle, comment: "").publicKey
    }

    package var isRSA: Bool { publicKey.algorithm == SSHKeyKind.rsa.algorithm }

    /// The signature algorithms that it serves, the preferred first. SHA-1 is not among them (RFC 8332).
    package var algorithms: [String] { isRSA ? ["rsa-sha2-512", "rsa-sha2-256"] : [publicKey.algorithm] }

    /// A signature in SSH's form: the algorithm's name and the bytes.
    package func signature(of message: UnsafeRawBufferPointer, algorithm: String) throws(CryptographyFault) -> [UInt8] {
        guard algorithms.contains(algorithm) else { throw .badInput("this key does not sign with \(algorithm)") }
        let raw = try sign(message, Self.digest(algorithm))
        let signature = algorithm.hasPrefix("ecdsa-") ? try Self.numbers(of: raw) : raw
        return Array(
            unsafeUninitializedCapacity: signature.count + algorithm.utf8.count + 8
        ) { buffer, count in
            var writer = SSHWireWriter(UnsafeMutableRawBufferPointer(buffer))
            writer.string(algorithm)
            writer.string(signature)
            count = writer.count
        }
    }

    /// Nil where the algorithm hashes by itself.
    private static func digest(_ algorithm: String) -> OpaquePointer? {
        switch algorithm {
        case "rsa-sha2-256", "ecdsa-sha2-nistp256": EVP_sha256()
        case "ecdsa-sha2-nistp384": EVP_sha384()
        case "rsa-sha2-512", "ecdsa-sha2-nistp521": EVP_sha512()
        default: nil
        }
    }

    private func sign(_ message: UnsafeRawBufferPointer, _ digest: OpaquePointer?) throws(CryptographyFault) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw libraryFault("EVP_MD_CTX_new") }
        defer { EVP_MD_CTX_free(context) }
        try check(EVP_DigestSignInit(context, nil, digest, nil, handle.pointer), "EVP_DigestSignInit")
        let start = message.baseAddress?.assumingMemoryBound(to: UInt8.self)
        var length = 0
        try check(EVP_DigestSign(context, nil, &length, start, message.count), "EVP_DigestSign")
        var signature = [UInt8](repeating: 0, count: length)
        try check(EVP_DigestSign(context, &signature, &length, start, message.count), "EVP_DigestSign")
        return Array(signature.prefix(length))
    }

    /// libcrypto writes an ECDSA signature in DER, SSH as two numbers (RFC 5656, section 3.1.2).
    private static func numbers(of der: [UInt8]) throws(CryptographyFault) -> [UInt8] {
        let parsed = der.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            return d2i_ECDSA_SIG(nil, &start, bytes.count)
        }
        guard let parsed else { throw libraryFault("d2i_ECDSA_SIG") }
        defer { ECDSA_SIG_free(parsed) }
        var output = [UInt8](repeating: 0, count: 200)
        let count = output.withUnsafeMutableBytes { place in
            var writer = SSHWireWriter(place)
            for number in [ECDSA_SIG_get0_r(parsed), ECDSA_SIG_get0_s(parsed)] {
                var bytes = [UInt8](repeating: 0, count: Int(BN_num_bits(number) + 7) / 8)
                BN_bn2bin(number, &bytes)
                bytes.withUnsafeBytes { writer.number($0) }
            }
            return writer.count
        }
        return Array(output.prefix(count))
    }
}
