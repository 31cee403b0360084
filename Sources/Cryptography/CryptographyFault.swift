internal import CCrypto

/// What can go wrong in a cryptographic operation.
package enum CryptographyFault: Swift.Error, Sendable, Equatable {
    /// The ciphertext, its associated data or the key is not the one it was sealed with.
    case notAuthentic
    /// An input has a length or form that the algorithm does not take.
    case badInput(String)
    /// The library refused; the operation and its reason.
    case library(operation: String, reason: String)
}

/// Turns the library's "1 is good" codes into errors, at the call.
func check(_ code: Int32, _ operation: StaticString) throws(CryptographyFault) {
    guard code == 1 else { throw libraryFault(operation) }
}

/// The library's last error, taken from its queue, as ours.
func libraryFault(_ operation: StaticString) -> CryptographyFault {
    var text = [CChar](repeating: 0, count: 256)
    let code = ERR_get_error()
    ERR_clear_error()
    ERR_error_string_n(code, &text, text.count)
    let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return .library(operation: "\(operation)", reason: reason)
}
