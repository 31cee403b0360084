internal import Domain
internal import HTTPServer
internal import JSON

/// The description of the API in OpenAPI 3.1, made from the routes themselves, so that it cannot fall behind them.
package enum OpenAPIDocument {
    /// The document as indented JSON; the same routes give the same bytes.
    package static func bytes(of routes: [Route]) -> [UInt8] {
        var writer = JSONWriter()
        let all = routes + [FetchDescription.route]
        writer.object { writer in
            writer.field("openapi", "3.1.0")
            writer.object("info") {
                $0.field("title", "Keyturn")
                $0.field("version", "1")
                $0.field("description", "Secrets of privileged accounts: administration, and the fetch by applications.")
            }
            writePaths(all, &writer)
            writer.object("components") { writer in
                writeSchemas(all, &writer)
                writeResponses(&writer)
                writeSecurity(&writer)
            }
        }
        return Indentation.indent(writer.bytes)
    }

    // MARK: - Paths

    private static func writePaths(_ routes: [Route], _ writer: inout JSONWriter<[UInt8]>) {
        let byPath = Dictionary(grouping: routes) { $0.path.description }
        writer.object("paths") { writer in
            for path in byPath.keys.sorted() {
                let operations = (byPath[path] ?? []).sorted { $0.method.rawValue < $1.method.rawValue }
                writer.object(path) { writer in
                    for operation in operations {
                        writer.object(operation.method.rawValue.lowercased()) { write(operation, &$0) }
                    }
                }
            }
        }
    }

    private static func write(_ route: Route, _ writer: inout JSONWriter<[UInt8]>) {
        writer.field("operationId", name(of: route))
        writer.field("summary", route.summary)
        switch route.guarding {
        case .open:
            writer.array("security") { _ in }
        case .permission(let permission):
            writer.array("security") { $0.object { $0.array("bearer") { _ in } } }
            writer.field("x-permission", permission.rawValue)
        case .application:
            writer.array("security") { $0.object { $0.array("signature") { _ in } } }
        }
        writeParameters(route, &writer)
        if let request = route.request {
            writer.object("requestBody") {
                $0.field("required", true)
                content(&$0) { reference(request.name, &$0) }
            }
        }
        writer.object("responses") { writeAnswers(route, &$0) }
    }

    /// `get_accounts_accounts_id` and the like: unique, since method and path are.
    private static func name(of route: Route) -> String {
        let parts = route.path.segments.map { segment in
            switch segment {
            case .fixed(let bytes): String(decoding: bytes.map { isWord($0) ? $0 : 0x5F }, as: UTF8.self)
            case .named(let name): "by_" + name
            }
        }
        return ([route.method.rawValue.lowercased()] + parts.drop { $0 == "api" || $0 == "v1" }).joined(separator: "_")
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte)
    }

    private static func writeParameters(_ route: Route, _ writer: inout JSONWriter<[UInt8]>) {
        var parameters: [(name: String, place: String, type: String)] = route.path.segments.compactMap { segment in
            if case .named(let name) = segment { (name, "path", "string") } else { nil }
        }
        if route.style == .list {
            parameters += [
                ("limit", "query", "integer"), ("offset", "query", "integer"), ("search", "query", "string"),
                ("order", "query", "string"),
            ]
        }
        if route.guarding == .application {
            parameters += ["asset", "asset_id", "account", "account_id"].map { ($0, "query", "string") }
        }
        if route.guarding != .open { parameters.append(("X-JMS-ORG", "header", "string")) }
        guard !parameters.isEmpty else { return }
        writer.array("parameters") { writer in
            for parameter in parameters {
                writer.object {
                    $0.field("name", parameter.name)
                    $0.field("in", parameter.place)
                    $0.field("required", parameter.place == "path")
                    $0.object("schema") { $0.field("type", parameter.type) }
                }
            }
        }
    }

    // MARK: - Answers

    private static func writeAnswers(_ route: Route, _ writer: inout JSONWriter<[UInt8]>) {
        switch route.style {
        case .empty: writer.object("204") { $0.field("description", "Done.") }
        case .gone: writer.object("410") { $0.field("$ref", "#/components/responses/Gone") }
        case .one(let status):
            writer.object(String(status)) { writer in
                writer.field("description", "Done.")
                if let response = route.response { content(&writer) { reference(response.name, &$0) } }
            }
        case .list:
            writer.object("200") { writer in
                writer.field("description", "A bare array without limit, else a page.")
                if let response = route.response { content(&writer) { list(of: response.name, &$0) } }
            }
        }
        // Whatever else may come (405, 409, 413, 415, 429, …) looks the same.
        var refusals = [
            ("400", route.guarding == .application ? "InvalidFetch" : "Invalid"), ("503", "Unavailable"), ("default", "Refused"),
        ]
        if route.guarding != .open { refusals.append(("401", "Unauthenticated")) }
        if case .permission = route.guarding { refusals.append(("403", "Forbidden")) }
        if route.path.segments.contains(where: { if case .named = $0 { true } else { false } }) {
            refusals.append(("404", "NotFound"))
        }
        if case .permission(.revealAccount) = route.guarding { refusals.append(("412", "ConfirmationRequired")) }
        for (status, name) in refusals.sorted(by: { $0.0 < $1.0 }) {
            writer.object(status) { $0.field("$ref", "#/components/responses/" + name) }
        }
    }

    private static func list(of name: String, _ writer: inout JSONWriter<[UInt8]>) {
        writer.array("oneOf") { writer in
            writer.object {
                $0.field("type", "array")
                $0.object("items") { reference(name, &$0) }
            }
            writer.object { writer in
                writer.field("type", "object")
                writer.object("properties") { writer in
                    writer.object("count") { $0.field("type", "integer") }
                    for neighbour in ["next", "previous"] { writer.object(neighbour) { $0.field("type", ["string", "null"]) } }
                    writer.object("is_complete") {
                        $0.field("type", "boolean")
                        $0.field("description", "False where not everything was looked at: narrow the list by dates.")
                    }
                    writer.object("damaged") {
                        $0.field("type", "integer")
                        $0.field(
                            "description", "Rows that are left out, since they are not what was stored; the audit names them.")
                    }
                    writer.object("results") {
                        $0.field("type", "array")
                        $0.object("items") { reference(name, &$0) }
                    }
                }
            }
        }
    }

    private static func content(_ writer: inout JSONWriter<[UInt8]>, _ schema: (inout JSONWriter<[UInt8]>) -> Void) {
        writer.object("content") { $0.object("application/json") { $0.object("schema") { schema(&$0) } } }
    }

    private static func reference(_ name: String, _ writer: inout JSONWriter<[UInt8]>) {
        writer.field("$ref", "#/components/schemas/" + name)
    }
}

// MARK: - Components

extension OpenAPIDocument {
    private static func writeSchemas(_ routes: [Route], _ writer: inout JSONWriter<[UInt8]>) {
        let schemas = Dictionary(routes.flatMap { [$0.request, $0.response].compactMap { $0 } }.map { ($0.name, $0) }) {
            first, _ in first
        }
        writer.object("schemas") { writer in
            for name in schemas.keys.sorted() {
                writer.object(name) { schemas[name]?.write(to: &$0) }
            }
            writer.object("Problem") { writer in
                writer.field("type", "object")
                writer.field("required", ["detail", "code", "request_id"])
                writer.object("properties") { writer in
                    for name in ["detail", "code", "request_id"] { writer.object(name) { $0.field("type", "string") } }
                }
            }
            writer.object("FieldErrors") { writer in
                writer.field("type", "object")
                writer.field("description", "What is wrong, by field.")
                writer.object("additionalProperties") {
                    $0.field("type", "array")
                    $0.object("items") { $0.field("type", "string") }
                }
            }
            writer.object("FetchFieldErrors") { writer in
                writer.field("type", "object")
                writer.field("required", ["error"])
                writer.object("properties") { $0.object("error") { reference("FieldErrors", &$0) } }
                writer.field("additionalProperties", false)
            }
        }
    }

    private static func writeResponses(_ writer: inout JSONWriter<[UInt8]>) {
        let responses = [
            ("ConfirmationRequired", "The user must confirm who they are first: POST /api/v1/authentication/confirm/."),
            ("Forbidden", "The user lacks the permission."),
            ("Gone", "Not here any more; the text says what to use."),
            ("NotFound", "Not there, or hidden from the one who asks."),
            ("Refused", "Any other refusal."), ("Unauthenticated", "It is not known who asks."),
            ("Unavailable", "Sealed, or unable to store or to write the audit."),
        ]
        writer.object("responses") { writer in
            for (name, text) in responses {
                writer.object(name) { writer in
                    writer.field("description", text)
                    content(&writer) { reference("Problem", &$0) }
                }
            }
            for (name, fields) in [("Invalid", "FieldErrors"), ("InvalidFetch", "FetchFieldErrors")] {
                writer.object(name) { writer in
                    writer.field("description", "The request is wrong.")
                    content(&writer) { schema in
                        schema.array("oneOf") {
                            $0.object { reference(fields, &$0) }
                            $0.object { reference("Problem", &$0) }
                        }
                    }
                }
            }
        }
    }

    private static func writeSecurity(_ writer: inout JSONWriter<[UInt8]>) {
        writer.object("securitySchemes") { writer in
            writer.object("bearer") {
                $0.field("type", "http")
                $0.field("scheme", "bearer")
            }
            writer.object("signature") {
                $0.field("type", "http")
                $0.field("scheme", "signature")
                $0.field(
                    "description",
                    "HTTP Signature with hmac-sha256 over (request-target) and date at least, and X-Source: jms-pam.")
            }
        }
    }
}
