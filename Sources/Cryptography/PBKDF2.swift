internal import CCrypto

/// PBKDF2 with HMAC-SHA-256 (RFC 8018), for what others have stored that way. Keys of our own come from scrypt.
package enum PBKDF2 {
    package static func sha256(
        _ password: borrowing Secret, salt: [UInt8], iterations: Int, count: Int
    ) throws(CryptographyFault) -> Secret {
        guard iterations > 0, let rounds = Int32(exactly: iterations), count > 0, let size = Int32(exactly: count),
            let passwordCount = Int32(exactly: password.count), let saltCount = Int32(exactly: salt.count)
        else { throw .badInput("lengths of PBKDF2") }
        return try password.withBytes { (password) throws(CryptographyFault) -> Secret in
            try Secret(capacity: count) { (output) throws(CryptographyFault) -> Int in
                let code = PKCS5_PBKDF2_HMAC(
                    password.baseAddress?.assumingMemoryBound(to: CChar.self), passwordCount, salt, saltCount, rounds,
                    EVP_sha256(),
                    size, output.baseAddress?.assumingMemoryBound(to: UInt8.self))
                try check(code, "PKCS5_PBKDF2_HMAC")
                return count
            }
        }
    }
}
