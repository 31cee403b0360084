internal import CCrypto

/// HMAC with SHA-256 (RFC 2104, RFC 4231), reusable and re-keyed per message. Confined to one thread.
package final class HMACSHA256 {
    package static let byteCount = 32

    private let context: OpaquePointer

    package init() throws(CryptographyFault) {
        guard let algorithm = EVP_MAC_fetch(nil, "HMAC", nil) else { throw libraryFault("EVP_MAC_fetch") }
        // The context keeps a reference of its own.
        defer { EVP_MAC_free(algorithm) }
        guard let context = EVP_MAC_CTX_new(algorithm) else { throw libraryFault("EVP_MAC_CTX_new") }
        self.context = context
        var name = Array("SHA256".utf8CString)
        let code = name.withUnsafeMutableBufferPointer { name -> Int32 in
            var parameters = [
                OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.baseAddress, 0), OSSL_PARAM_construct_end(),
            ]
            return EVP_MAC_CTX_set_params(context, &parameters)
        }
        try check(code, "EVP_MAC_CTX_set_params")
    }

    deinit { EVP_MAC_CTX_free(context) }

    /// Writes the 32 bytes of the code over `message` under `key`.
    package func authenticate(
        _ message: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(CryptographyFault) {
        guard output.count >= Self.byteCount, let out = output.baseAddress else { throw .badInput("a code has 32 bytes") }
        // A zero-length key must still be a key, not "keep the last one".
        guard let keyStart = key.baseAddress, key.count > 0 else { throw .badInput("an empty key") }
        try check(EVP_MAC_init(context, keyStart.assumingMemoryBound(to: UInt8.self), key.count, nil), "EVP_MAC_init")
        if message.count > 0 {
            let start = message.baseAddress?.assumingMemoryBound(to: UInt8.self)
            try check(EVP_MAC_update(context, start, message.count), "EVP_MAC_update")
        }
        var length = 0
        try check(EVP_MAC_final(context, out.assumingMemoryBound(to: UInt8.self), &length, Self.byteCount), "EVP_MAC_final")
    }

    package func authenticate(_ message: [UInt8], key: SymmetricKey) throws(CryptographyFault) -> [UInt8] {
        try key.withBytes { (key) throws(CryptographyFault) in try code(message, key) }
    }

    /// The code of one message, with a context made for it.
    package static func authenticate(_ message: [UInt8], key: SymmetricKey) throws(CryptographyFault) -> [UInt8] {
        try HMACSHA256().authenticate(message, key: key)
    }

    /// The code under a key of any length from 1, for secrets that are not 32 bytes.
    package static func authenticate(_ message: [UInt8], key: borrowing Secret) throws(CryptographyFault) -> [UInt8] {
        let hmac = try HMACSHA256()
        return try key.withBytes { (key) throws(CryptographyFault) in try hmac.code(message, key) }
    }

    private func code(_ message: [UInt8], _ key: UnsafeRawBufferPointer) throws(CryptographyFault) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: Self.byteCount)
        var fault: CryptographyFault?
        message.withUnsafeBytes { message in
            output.withUnsafeMutableBytes { output in
                do throws(CryptographyFault) { try authenticate(message, key: key, into: output) } catch { fault = error }
            }
        }
        if let fault { throw fault }
        return output
    }
}
