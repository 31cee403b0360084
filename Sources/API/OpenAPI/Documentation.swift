internal import HTTPServer

/// The description of the API: `/api/docs/openapi.json`. Open, since it holds no data.
package enum DocumentationResource {
    package static func routes(describing routes: [Route]) -> [Route] {
        let document = OpenAPIDocument.bytes(of: routes)
        return [
            Route(.get, "/api/docs/openapi.json", .open, "This description, in OpenAPI 3.1") { _ in .json(status: 200, document) }
        ]
    }
}
