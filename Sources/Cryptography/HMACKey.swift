internal import CCrypto

/// A key of HMAC with SHA-256 whose two own blocks are hashed beforehand (RFC 2104, section 4): for keys that sign often.
///
/// A code then takes two blocks less and nothing has to be set up for it. What is kept is worth as much as the key; it is wiped with its
/// owner. Many threads may use it at once.
package struct HMACKey: ~Copyable, Sendable {
    private static let stateByteCount = MemoryLayout<SHA256_CTX>.size
    private static let blockByteCount = 64

    /// The states after the inner and after the outer block.
    let states: Secret

    /// From a key of any length from 1.
    package init(_ key: borrowing Secret) throws(CryptographyFault) {
        guard !key.isEmpty else { throw .badInput("an empty key") }
        states = key.withBytes { Self.states(of: $0) }
    }

    /// From a key of 256 bits.
    package init(_ key: SymmetricKey) {
        states = key.withBytes { Self.states(of: $0) }
    }

    /// A key that nobody knows.
    package static func random() throws(CryptographyFault) -> HMACKey {
        try HMACKey(Secret.random(count: SymmetricKey.byteCount))
    }

    /// Writes the 32 bytes of the code over `message`.
    package borrowing func authenticate(
        _ message: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CryptographyFault) {
        guard output.count >= HMACSHA256.byteCount, let code = output.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            throw .badInput("a code has 32 bytes")
        }
        states.withBytes { states in
            var state = SHA256_CTX()
            Self.load(UnsafeRawBufferPointer(rebasing: states[..<Self.stateByteCount]), into: &state)
            if message.count > 0 { _ = SHA256_Update(&state, message.baseAddress, message.count) }
            _ = SHA256_Final(code, &state)
            Self.load(UnsafeRawBufferPointer(rebasing: states[Self.stateByteCount...]), into: &state)
            _ = SHA256_Update(&state, code, HMACSHA256.byteCount)
            _ = SHA256_Final(code, &state)
            OPENSSL_cleanse(&state, Self.stateByteCount)
        }
    }

    private static func states(of key: UnsafeRawBufferPointer) -> Secret {
        Secret(capacity: 2 * stateByteCount) { states in
            prepare(states, key)
            return 2 * stateByteCount
        }
    }

    private static func load(_ bytes: UnsafeRawBufferPointer, into state: inout SHA256_CTX) {
        withUnsafeMutableBytes(of: &state) { $0.copyMemory(from: bytes) }
    }

    private static func prepare(_ memory: UnsafeMutableRawBufferPointer, _ key: UnsafeRawBufferPointer) {
        var state = SHA256_CTX()
        withUnsafeTemporaryAllocation(byteCount: blockByteCount, alignment: 8) { block in
            block.initializeMemory(as: UInt8.self, repeating: 0)
            if key.count <= blockByteCount {
                block.copyMemory(from: key)
            } else {
                _ = SHA256_Init(&state)
                _ = SHA256_Update(&state, key.baseAddress, key.count)
                _ = SHA256_Final(block.baseAddress?.assumingMemoryBound(to: UInt8.self), &state)
            }
            for (index, padding) in [UInt8(0x36), 0x5C].enumerated() {
                for position in block.indices { block[position] ^= padding }
                _ = SHA256_Init(&state)
                _ = SHA256_Update(&state, block.baseAddress, blockByteCount)
                for position in block.indices { block[position] ^= padding }
                let place = UnsafeMutableRawBufferPointer(rebasing: memory[(index * stateByteCount)...])
                withUnsafeBytes(of: &state) { place.copyMemory(from: $0) }
            }
            OPENSSL_cleanse(block.baseAddress, block.count)
        }
        OPENSSL_cleanse(&state, stateByteCount)
    }
}
