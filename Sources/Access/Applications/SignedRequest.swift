/// What the application gate reads of a request, besides its headers; the edge fills it, so that the gate knows no HTTP library.
///
/// The byte range is valid for the call it is passed to.
package struct SignedRequest {
    /// Upper-case method token.
    package let methodName: StaticString
    /// The request target exactly as it was received, which is what was signed.
    package let rawTarget: UnsafeRawBufferPointer
    package let origin: RequestOrigin
    /// Why the client's address could not be told, if so; such a request is denied.
    package let addressFault: String?

    package init(methodName: StaticString, rawTarget: UnsafeRawBufferPointer, origin: RequestOrigin, addressFault: String?) {
        self.methodName = methodName
        self.rawTarget = rawTarget
        self.origin = origin
        self.addressFault = addressFault
    }

    /// Gives the first value of a header by its name in any case; nil if it is not there.
    package typealias Headers = (UnsafeRawBufferPointer) -> UnsafeRawBufferPointer?
}
