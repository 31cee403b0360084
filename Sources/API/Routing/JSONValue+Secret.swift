internal import Cryptography
internal import Domain
internal import JSON

extension JSONValue {
    /// The bytes of a string as a secret, straight from the body without a `String` in between.
    func secret() throws(Refusal) -> Secret {
        guard let capacity = unescapedCount else { throw .malformed("Not a valid string.") }
        var isWhole = false
        let secret = Secret(capacity: capacity) { buffer in
            let count = unescape(into: buffer)
            isWhole = count != nil
            return count ?? 0
        }
        guard isWhole else { throw .malformed("Not a valid string.") }
        return secret
    }
}
