package import HTTPServer
internal import Metrics

/// Counts the requests of the admin surface by route and outcome, and measures how long they took.
package struct MeteredHandler<Inner: AsyncHandler>: AsyncHandler {
    private let inner: Inner
    private let router: Router

    package init(_ inner: Inner, router: Router) {
        self.inner = inner
        self.router = router
    }

    package func respond(to request: HTTPServer.Request) async -> Response {
        let start = MonotonicTime.now
        let response = await inner.respond(to: request)
        let route = router.name(of: request)
        // Both from closed lists, so that nobody outside makes up label values.
        Counter(
            label: "keyturn_requests_total", dimensions: [("route", route), ("status", String(response.status))]
        ).increment()
        let now = MonotonicTime.now
        let nanoseconds = now.nanoseconds > start.nanoseconds ? now.nanoseconds - start.nanoseconds : 0
        Timer(label: "keyturn_request_seconds", dimensions: [("route", route)]).recordNanoseconds(Int64(clamping: nanoseconds))
        return response
    }
}

extension Router {
    /// The method and path template of the operation that a request is for; `none` if there is no such operation.
    fileprivate func name(of request: HTTPServer.Request) -> String {
        let path = request.rawPath.withUnsafeBytes { try? RequestPath($0) }
        guard let path, case .route(let route, _) = find(request.method, path) else { return "none" }
        return route.method.rawValue + " " + route.path.description
    }
}
