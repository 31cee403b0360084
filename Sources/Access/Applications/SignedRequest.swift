internal import Domain

/// What the application gate reads of a request; the edge adapts its own request type to it, so that the gate knows no HTTP library.
package protocol SignedRequest {
    /// Upper-case method token.
    var methodName: StaticString { get }
    /// The request target exactly as it was received, which is what was signed.
    var rawTarget: UnsafeRawBufferPointer { get }
    /// First value of a header by lower-case name; nil if it is not there.
    func header(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer?
    var origin: RequestOrigin { get }
    /// Why the client's address could not be told, if so; such a request is denied.
    var addressFault: String? { get }
}

extension SignedRequest {
    func header(_ name: StaticString) -> UnsafeRawBufferPointer? {
        name.withUTF8Buffer { header(named: UnsafeRawBufferPointer($0)) }
    }
}
