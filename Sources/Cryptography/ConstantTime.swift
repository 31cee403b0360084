internal import CCrypto

/// Comparisons and wiping whose time does not depend on the contents.
package enum ConstantTime {
    /// Whether both have the same bytes; lengths are not hidden.
    package static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard a.count == b.count else { return false }
        guard let a0 = a.baseAddress, let b0 = b.baseAddress else { return a.count == 0 }
        return CRYPTO_memcmp(a0, b0, a.count) == 0
    }

    package static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.withUnsafeBytes { a in b.withUnsafeBytes { b in areEqual(a, b) } }
    }

    /// Overwrites memory that held a secret, in a way that the compiler keeps.
    package static func wipe(_ buffer: UnsafeMutableRawBufferPointer) {
        guard let start = buffer.baseAddress else { return }
        OPENSSL_cleanse(start, buffer.count)
    }

    package static func wipe(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { wipe($0) }
        bytes = []
    }
}
