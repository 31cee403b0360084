package import JSON
internal import Outbound

/// A kind of thing that the Admin API keeps, with where it is and what it is called to people.
package struct Resource: Sendable {
    /// Such as `/api/v1/assets/assets/`.
    package let path: String
    package let noun: String

    package init(_ path: String, _ noun: String) {
        self.path = path
        self.noun = noun
    }

    package static let assets = Resource("/api/v1/assets/assets/", "asset")
    package static let zones = Resource("/api/v1/assets/zones/", "zone")
    package static let platforms = Resource("/api/v1/assets/platforms/", "platform")
    package static let accounts = Resource("/api/v1/accounts/accounts/", "account")
    package static let accountSecrets = Resource("/api/v1/accounts/account-secrets/", "account")
    package static let applications = Resource("/api/v1/accounts/integration-applications/", "application")

    package static func credentials(of application: String) -> Resource {
        Resource(applications.item(application) + "credentials/", "credential")
    }

    /// The path of one of them.
    package func item(_ id: String) -> String { path + PercentEncoding.encode(id) + "/" }
}

/// A page of a list, and how many there are on all pages.
package struct ListPage: Sendable {
    package let rows: [JSONValue]
    package let total: Int
    /// Rows of this page that the server left out, since they are not what was stored.
    package let damaged: Int

    package init(rows: [JSONValue], total: Int, damaged: Int = 0) {
        self.rows = rows
        self.total = total
        self.damaged = damaged
    }
}

extension AdminClient {
    package func list(
        _ resource: Resource, limit: Int, offset: Int = 0, query: [(name: String, value: String)] = []
    ) async throws(ClientError) -> ListPage {
        let paging = [(name: "limit", value: String(limit)), (name: "offset", value: String(offset))]
        let value = try await call(.get, resource.path, query: paging + query)
        if let rows = value?.array { return ListPage(rows: Array(rows), total: rows.underestimatedCount) }
        guard let rows = value?["results"]?.array else {
            throw ClientError(.unexpectedAnswer, "the answer is no list")
        }
        return ListPage(
            rows: Array(rows), total: Int(clamping: value?["count"]?.int ?? 0),
            damaged: Int(clamping: value?["damaged"]?.int ?? 0))
    }

    /// The one that this name or id means. Filters are checked again here: no near match is taken for the thing itself.
    package func find(
        _ resource: Resource, _ nameOrID: String, query: [(name: String, value: String)] = []
    ) async throws(ClientError) -> JSONValue {
        // Platforms have numbers, everything else has UUIDs.
        let isID = Self.isID(nameOrID) || resource.path == Resource.platforms.path && Int(nameOrID) != nil
        if isID, query.isEmpty, let found = try await call(.get, resource.item(nameOrID)) { return found }
        let page = try await list(resource, limit: 100, query: [(name: "name", value: nameOrID)] + query)
        let matches = page.rows.filter { $0["name"]?.isString(nameOrID) == true }
        guard let match = matches.first else {
            throw ClientError(.notFound, "there is no \(resource.noun) named \(nameOrID)")
        }
        guard matches.count == 1 else {
            throw ClientError(.ambiguous, "\(matches.count) \(resource.noun)s are named \(nameOrID); give the id")
        }
        return match
    }

    /// The account meant by an id or by `asset/account`; the last slash divides.
    package func findAccount(_ text: String) async throws(ClientError) -> JSONValue {
        guard let slash = text.lastIndex(of: "/") else {
            guard Self.isID(text) else {
                throw ClientError(.invalidRequest, "an account is named by its id or as ASSET/ACCOUNT")
            }
            return try await find(.accounts, text)
        }
        let asset = try await find(.assets, String(text[..<slash]))
        guard let assetID = asset.identifier else { throw ClientError(.unexpectedAnswer, "the asset has no id") }
        return try await find(.accounts, String(text[text.index(after: slash)...]), query: [(name: "asset_id", value: assetID)])
    }

    /// Whether it looks like a UUID.
    package static func isID(_ text: String) -> Bool {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.count) == [8, 4, 4, 4, 12] && groups.joined().allSatisfy(\.isHexDigit)
    }
}

extension JSONValue {
    /// The `id` of an object, text or number.
    package var identifier: String? {
        self["id"].flatMap { $0.string ?? $0.int.map { String($0) } }
    }
}
