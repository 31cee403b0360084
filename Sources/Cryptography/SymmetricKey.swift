internal import CCrypto

/// A 256-bit key that many threads may use at once; wiped when the last owner drops it.
package final class SymmetricKey: Sendable {
    package static let byteCount = 32

    private let secret: Secret

    /// From exactly 32 bytes.
    package init(_ secret: consuming Secret) throws(CryptographyFault) {
        guard secret.count == Self.byteCount else { throw .badInput("a key has 32 bytes") }
        self.secret = secret
    }

    package static func random() throws(CryptographyFault) -> SymmetricKey {
        try SymmetricKey(Secret.random(count: byteCount))
    }

    package func withBytes<Output: ~Copyable, Failure: Swift.Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Output
    ) throws(Failure) -> Output {
        try secret.withBytes(body)
    }
}
