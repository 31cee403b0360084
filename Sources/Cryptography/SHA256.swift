internal import CCrypto

/// SHA-256 (FIPS 180-4), reusable: one context for many digests. Confined to one thread.
package final class SHA256 {
    package static let byteCount = 32

    private let context: OpaquePointer
    // Fetched once: fetching by name at every digest costs more than a short digest.
    private static let algorithm = Algorithm()

    package init() throws(CryptographyFault) {
        guard let context = EVP_MD_CTX_new() else { throw libraryFault("EVP_MD_CTX_new") }
        self.context = context
        try check(EVP_DigestInit_ex(context, Self.algorithm.pointer, nil), "EVP_DigestInit_ex")
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count > 0 { _ = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }
    }

    package func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// Writes the 32 bytes and begins anew.
    package func finalize(into output: UnsafeMutableRawBufferPointer) throws(CryptographyFault) {
        guard output.count >= Self.byteCount, let start = output.baseAddress else { throw .badInput("a digest has 32 bytes") }
        try check(EVP_DigestFinal_ex(context, start.assumingMemoryBound(to: UInt8.self), nil), "EVP_DigestFinal_ex")
        try check(EVP_DigestInit_ex(context, Self.algorithm.pointer, nil), "EVP_DigestInit_ex")
    }

    package func finalize() throws(CryptographyFault) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: Self.byteCount)
        do {
            try output.withUnsafeMutableBytes { try finalize(into: $0) }
        } catch let fault as CryptographyFault {
            throw fault
        } catch {
            throw .badInput("\(error)")
        }
        return output
    }

    package static func digest(_ bytes: UnsafeRawBufferPointer) throws(CryptographyFault) -> [UInt8] {
        let hash = try SHA256()
        hash.update(bytes)
        return try hash.finalize()
    }

    package static func digest(_ bytes: [UInt8]) throws(CryptographyFault) -> [UInt8] {
        let hash = try SHA256()
        hash.update(bytes)
        return try hash.finalize()
    }

    /// The fetched algorithm; immutable and shared, which OpenSSL allows.
    private final class Algorithm: @unchecked Sendable {
        let pointer: OpaquePointer? = EVP_MD_fetch(nil, "SHA256", nil)
    }
}
