internal import Domain
internal import HTTPServer

/// Finds the operation of a path and method among all of them.
package struct Router: Sendable {
    package let routes: [Route]
    /// Routes by their first three segments and their number, so that a look-up compares a handful.
    private let index: [Key: [Route]]

    private struct Key: Hashable {
        let count: Int
        let prefix: [[UInt8]]
    }

    package init(_ routes: [Route]) {
        self.routes = routes
        index = Dictionary(grouping: routes) { route in
            Key(
                count: route.path.segments.count,
                prefix: route.path.segments.prefix(3).compactMap { if case .fixed(let text) = $0 { text } else { nil } })
        }
    }

    enum Match {
        case route(Route, [String: String])
        /// The path is there, the method is not; these are.
        case otherMethods([Method])
        case nothing
    }

    func find(_ method: Method, _ path: RequestPath) -> Match {
        let hasDot = path.segments.last?.contains(UInt8(ascii: ".")) == true
        // `/healthz` and its like, and files, are named without a slash at the end; everything else with one.
        guard path.segments.count == 1 ? !path.hasTrailingSlash : path.hasTrailingSlash || hasDot else { return .nothing }
        let candidates = (0...3).flatMap { length in
            index[Key(count: path.segments.count, prefix: Array(path.segments.prefix(length)))] ?? []
        }
        var allowed: [Method] = []
        // A fixed segment beats a named one: `suggestions/` is not an id.
        var found: (route: Route, values: [String: String])?
        for route in candidates {
            guard let values = route.path.match(path.segments) else { continue }
            if route.method == (method == .head ? .get : method) {
                if found == nil || values.count < (found?.values.count ?? 0) { found = (route, values) }
            } else {
                allowed.append(route.method)
            }
        }
        if let found { return .route(found.route, found.values) }
        return allowed.isEmpty ? .nothing : .otherMethods(allowed)
    }
}
