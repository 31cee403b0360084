internal import CCrypto

/// The cryptographic generator of libcrypto, seeded by the operating system.
package enum SecureRandom {
    package static func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(CryptographyFault) {
        guard let start = buffer.baseAddress, buffer.count > 0 else { return }
        guard let count = Int32(exactly: buffer.count) else { throw .badInput("too many random bytes at once") }
        try check(RAND_bytes(start.assumingMemoryBound(to: UInt8.self), count), "RAND_bytes")
    }

    package static func bytes(count: Int) throws(CryptographyFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(count, 0))
        let code: Int32 = bytes.withUnsafeMutableBufferPointer { RAND_bytes($0.baseAddress, Int32(clamping: $0.count)) }
        if count > 0 { try check(code, "RAND_bytes") }
        return bytes
    }

    /// A secret of `count` characters, each drawn from the ASCII alphabet with the same probability.
    ///
    /// Bytes that would favour some characters are drawn again, so there is no modulo bias. The alphabet has 1 to 256 characters.
    package static func characters(count: Int, from alphabet: [UInt8]) throws(CryptographyFault) -> Secret {
        guard (1...256).contains(alphabet.count), count >= 0 else { throw .badInput("an alphabet has 1 to 256 characters") }
        let limit = 256 - 256 % alphabet.count
        return try Secret(capacity: count) { (buffer) throws(CryptographyFault) in
            var written = 0
            while written < count {
                let draw = try Secret.random(count: 64)
                draw.withBytes { bytes in
                    for byte in bytes where Int(byte) < limit && written < count {
                        buffer[written] = alphabet[Int(byte) % alphabet.count]
                        written += 1
                    }
                }
            }
            return count
        }
    }

    /// A number from 0 up to and without `limit`, each with the same probability; `limit` is 1 to 65,536.
    ///
    /// Draws that would favour some numbers are drawn again, so there is no modulo bias.
    package static func number(below limit: Int) throws(CryptographyFault) -> Int {
        guard (1...65_536).contains(limit) else { throw .badInput("a limit is 1 to 65,536") }
        let bound = 65_536 - 65_536 % limit
        while true {
            var word: UInt16 = 0
            // Filled as one constant size, so the draw itself leaves no copy on the heap.
            let code = withUnsafeMutablePointer(to: &word) {
                $0.withMemoryRebound(to: UInt8.self, capacity: 2) { RAND_bytes($0, 2) }
            }
            try check(code, "RAND_bytes")
            if Int(word) < bound { return Int(word) % limit }
        }
    }

    package static let alphanumerics = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
}
