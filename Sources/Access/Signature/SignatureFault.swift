/// Why a signature header or the string it signs cannot be formed; for the audit only, since every one is the same 401 outside.
package enum SignatureFault: String, Error, Sendable, CaseIterable {
    case tooLong = "signature header too long"
    case notSignature = "not the Signature scheme"
    case malformed = "malformed signature header"
    case duplicateParameter = "signature parameter given twice"
    case missingParameter = "signature parameter missing"
    case unsupportedAlgorithm = "unsupported signature algorithm"
    case tooManyHeaders = "too many signed headers"
    case requiredHeaderNotSigned = "(request-target) or date not signed"
    case signedHeaderMissing = "a signed header is absent"
    case badSignature = "signature is not 32 bytes of base64"
}
