internal import CCrypto

/// The key derivation of protected OpenSSH private keys (OpenBSD's bcrypt_pbkdf(3)): PBKDF2 with bcrypt over SHA-512 inside.
enum BcryptPBKDF {
    /// No more rounds than this are run, whoever wrote the file: some seconds. ssh-keygen takes 16 or 24 unless told otherwise.
    static let mostRounds: UInt32 = 512
    private static let blockByteCount = 32

    /// A key of `count` bytes. The passphrase and the salt may not be empty.
    static func derive(
        from passphrase: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer, rounds: UInt32, count: Int
    ) throws(CryptographyFault) -> Secret {
        guard !passphrase.isEmpty, (1...1024).contains(salt.count), (1...mostRounds).contains(rounds), (1...256).contains(count)
        else { throw .badInput("bcrypt_pbkdf parameters out of range") }
        let hashed = try SHA512Digest.secret(of: passphrase)
        // Block n gives every blocks-th byte of the key, from byte n on.
        let blocks = (count + blockByteCount - 1) / blockByteCount
        let share = (count + blocks - 1) / blocks
        return try Secret(capacity: count) { (key) throws(CryptographyFault) in
            for number in 0..<blocks {
                let block = try block(hashed, salt, number: UInt32(number + 1), rounds)
                block.withBytes { block in
                    for index in 0..<min(share, block.count) where index * blocks + number < count {
                        key[index * blocks + number] = block[index]
                    }
                }
            }
            return count
        }
    }

    private static func block(
        _ hashed: borrowing Secret, _ salt: UnsafeRawBufferPointer, number: UInt32, _ rounds: UInt32
    ) throws(CryptographyFault) -> Secret {
        let seed = Secret(capacity: salt.count + 4) { place in
            var writer = SSHWireWriter(place)
            writer.raw(salt)
            writer.word(number)
            return writer.count
        }
        var salted = try seed.withBytes { (bytes) throws(CryptographyFault) in try SHA512Digest.secret(of: bytes) }
        var last = try crypted(hashed, salted)
        return try Secret(capacity: blockByteCount) { (sum) throws(CryptographyFault) in
            last.withBytes { sum.copyMemory(from: $0) }
            for _ in 1..<rounds {
                salted = try last.withBytes { (bytes) throws(CryptographyFault) in try SHA512Digest.secret(of: bytes) }
                last = try crypted(hashed, salted)
                last.withBytes { last in for index in 0..<sum.count { sum[index] ^= last[index] } }
            }
            return sum.count
        }
    }

    /// bcrypt with a fixed cost of 64, over eight words instead of six, written least significant byte first.
    private static func crypted(_ password: borrowing Secret, _ salt: borrowing Secret) throws(CryptographyFault) -> Secret {
        var state = try Blowfish()
        password.withBytes { password in
            salt.withBytes { salt in
                state.expand(key: password, salt: salt)
                for _ in 0..<64 {
                    state.expand(key: salt)
                    state.expand(key: password)
                }
            }
        }
        return Secret(capacity: blockByteCount) { place in
            var position = 0
            for block in text {
                var (left, right) = block
                for _ in 0..<64 { state.encipher(&left, &right) }
                for word in [left, right] {
                    for shift in [0, 8, 16, 24] as [UInt32] {
                        place[position] = UInt8(truncatingIfNeeded: word >> shift)
                        position += 1
                    }
                }
            }
            return position
        }
    }

    /// The plaintext that is enciphered, 32 bytes that the specification names, as pairs of words.
    private static let text: [(UInt32, UInt32)] = {
        let bytes = Array("OxychromaticBlowfishSwatDynamite".utf8)
        let words = stride(from: 0, to: bytes.count, by: 4).map { start in
            bytes[start..<(start + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        return stride(from: 0, to: words.count, by: 2).map { (words[$0], words[$0 + 1]) }
    }()
}

/// SHA-512 (FIPS 180-4) of secrets, into a secret.
enum SHA512Digest {
    static let byteCount = 64

    static func secret(of bytes: UnsafeRawBufferPointer) throws(CryptographyFault) -> Secret {
        try Secret(capacity: byteCount) { (place) throws(CryptographyFault) in
            var written: UInt32 = 0
            let start = place.baseAddress?.assumingMemoryBound(to: UInt8.self)
            try check(EVP_Digest(bytes.baseAddress, bytes.count, start, &written, EVP_sha512(), nil), "EVP_Digest")
            return Int(written)
        }
    }
}
