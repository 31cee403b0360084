internal import Access
internal import HTTPServer

/// An exchange as the application gate reads it.
struct ExchangeRequest: SignedRequest {
    let exchange: Exchange
    let origin: RequestOrigin
    let addressFault: String?

    var methodName: StaticString {
        switch exchange.method {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .other: "?"
        }
    }

    var rawTarget: UnsafeRawBufferPointer { exchange.target }

    func header(named name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        exchange.header(named: name)
    }
}
