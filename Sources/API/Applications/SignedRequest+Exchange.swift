internal import Access
internal import HTTPServer

extension SignedRequest {
    /// An exchange as the application gate reads it.
    init(_ exchange: Exchange, origin: RequestOrigin, addressFault: String?) {
        self.init(
            methodName: exchange.method.token, rawTarget: exchange.target, origin: origin, addressFault: addressFault)
    }
}

extension Method {
    var token: StaticString {
        switch self {
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
}
