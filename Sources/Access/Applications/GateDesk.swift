internal import Cryptography
internal import Domain

/// The reusable buffers with which one thread checks signatures. Confined to that thread.
package final class GateDesk {
    var signingString: [UInt8] = []
    private let expected = UnsafeMutableRawBufferPointer.allocate(byteCount: HMACSHA256.byteCount, alignment: 16)

    package init() {}

    deinit { expected.deallocate() }

    /// Whether `mac` is the code of the signing string built last, under the credential's secret; with no credential the same work is
    /// done under a decoy and the answer is false.
    func isCode(_ mac: SignatureMAC, ofSigningStringBy credential: CredentialPolicy?, decoy: borrowing HMACKey) -> Bool {
        signingString.withUnsafeBytes { message in
            do {
                if let credential {
                    try credential.authenticate(message, into: expected)
                } else {
                    try decoy.authenticate(message, into: expected)
                }
            } catch {
                return false
            }
            guard let code = SignatureMAC(UnsafeRawBufferPointer(expected)) else { return false }
            return mac.equals(code) && credential != nil
        }
    }

    /// Does the work of one code, so that a header that cannot be read costs what a wrong signature costs.
    func spendOneCode(_ decoy: borrowing HMACKey) {
        let message = [UInt8](repeating: 0, count: 200)
        message.withUnsafeBytes { message in
            try? decoy.authenticate(message, into: expected)
        }
    }
}
