internal import CCrypto

/// Digests that protocols of others ask for; our own use SHA-256.
package enum MessageDigest: Sendable {
    /// No longer fit for signatures; MariaDB's `mysql_native_password` is made of it.
    case sha1
    case sha512

    package var byteCount: Int {
        switch self {
        case .sha1: 20
        case .sha512: 64
        }
    }

    /// The digest of parts one after the other, which may tell something about a secret.
    package func digest(_ parts: [UnsafeRawBufferPointer]) throws(CryptographyFault) -> Secret {
        let algorithm =
            switch self {
            case .sha1: EVP_sha1()
            case .sha512: EVP_sha512()
            }
        guard let context = EVP_MD_CTX_new() else { throw libraryFault("EVP_MD_CTX_new") }
        defer { EVP_MD_CTX_free(context) }
        try check(EVP_DigestInit_ex(context, algorithm, nil), "EVP_DigestInit_ex")
        for part in parts where part.count > 0 {
            try check(EVP_DigestUpdate(context, part.baseAddress, part.count), "EVP_DigestUpdate")
        }
        return try Secret(capacity: byteCount) { (output) throws(CryptographyFault) -> Int in
            try check(
                EVP_DigestFinal_ex(context, output.baseAddress?.assumingMemoryBound(to: UInt8.self), nil), "EVP_DigestFinal_ex")
            return byteCount
        }
    }

    package func digest(of secret: borrowing Secret, and rest: [UInt8] = []) throws(CryptographyFault) -> Secret {
        try secret.withBytes { (first) throws(CryptographyFault) -> Secret in try joined(first, rest) }
    }

    package func digest(_ bytes: [UInt8], and secret: borrowing Secret) throws(CryptographyFault) -> Secret {
        try secret.withBytes { (last) throws(CryptographyFault) -> Secret in
            var all = bytes + last
            defer { ConstantTime.wipe(&all) }
            return try joined(UnsafeRawBufferPointer(start: nil, count: 0), all)
        }
    }

    private func joined(_ first: UnsafeRawBufferPointer, _ rest: [UInt8]) throws(CryptographyFault) -> Secret {
        var made: Secret?
        var fault: CryptographyFault?
        rest.withUnsafeBytes { rest in
            do throws(CryptographyFault) { made = try digest([first, rest]) } catch { fault = error }
        }
        if let fault { throw fault }
        guard let made else { throw .badInput("a digest") }
        return made
    }
}
