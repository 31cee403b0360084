package import Access
package import Domain
package import HTTPServer
package import JSON

/// One request to an operation of the admin API, with everything found out about it before the operation runs.
package struct Call: Sendable {
    package let request: HTTPServer.Request
    package let parameters: [String: String]
    package let query: Query
    package let origin: RequestOrigin
    /// Who calls; nobody for open operations.
    package let caller: Principal?
    /// The organization that the call is about.
    package let organization: OrganizationID
    /// The greatest nesting of a body.
    private let jsonDepth: Int

    package init(
        request: HTTPServer.Request, parameters: [String: String], query: Query, origin: RequestOrigin, caller: Principal?,
        organization: OrganizationID, jsonDepth: Int = JSONLimits.administration.depth
    ) {
        self.request = request
        self.parameters = parameters
        self.query = query
        self.origin = origin
        self.caller = caller
        self.organization = organization
        self.jsonDepth = jsonDepth
    }

    /// The logged-in user; operations that are not open have one.
    package func principal() throws(Refusal) -> Principal {
        guard let caller else { throw .noCredentials }
        return caller
    }

    /// The id in a named segment of the path; anything that is no id is simply not there.
    package func id<Entity>(_ name: String = "id", of _: Entity.Type = Entity.self) throws(Refusal) -> Identifier<Entity> {
        guard let text = parameters[name], let id = Identifier<Entity>(text) else { throw .notFound }
        return id
    }

    /// The body as JSON, scanned within the limits; it is wiped when the last value taken from it goes.
    package func json() throws(Refusal) -> JSONValue {
        do {
            return try request.body.withBytes { try JSONDocument($0, limits: JSONLimits(depth: jsonDepth)).root }
        } catch {
            throw .malformed("The body is not valid JSON: \(error).")
        }
    }

    /// Reads the body's fields; whatever is wrong with them is one refusal that names each field.
    package func body<Value>(_ read: (JSONObjectReader) throws -> Value) throws -> Value {
        let value = try json()
        do {
            return try read(JSONObjectReader(value))
        } catch let errors as JSONFieldErrors {
            throw Refusal(errors)
        }
    }
}
