internal import API
internal import Access
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage
import Testing

extension TestVault {
    /// Stores an asset and returns its id.
    @discardableResult
    func makeAsset(
        _ name: String, address: String = "10.0.0.1", platform: Int = 1, nodes: [NodeID] = [], labels: [LabelID] = [],
        in organization: OrganizationID = .default
    ) async throws -> AssetID {
        let asset = Asset(
            id: .random(), organization: organization, name: name, address: address, platform: Platform.ID(rawValue: platform),
            nodes: nodes,
            labels: labels, dateCreated: .now, dateUpdated: .now)
        let keys = try backend.keyring.keys()
        try await backend.database.write { db in try Assets.insert(keys.authenticated(asset), on: db) }
        return asset.id
    }

    @discardableResult
    func makeLabel(_ name: String, _ value: String, in organization: OrganizationID = .default) async throws -> LabelID {
        let label = Label(id: .random(), organization: organization, name: name, value: value, dateCreated: .now)
        let keys = try backend.keyring.keys()
        try await backend.database.write { db in try Labels.insert(keys.authenticated(label), on: db) }
        return label.id
    }

    /// A second organization, made over the API.
    func makeOrganization(_ name: String = "Other") async throws -> OrganizationID {
        let answer = try await send(.post, "/api/v1/orgs/orgs/", #"{"name":"\#(name)"}"#)
        return try #require(OrganizationID(answer.string("id") ?? ""))
    }

    /// Creates an account over the API and returns its id.
    @discardableResult
    func makeAccount(
        _ username: String, on asset: AssetID, secret: String = "s3cret", more: String = "",
        in organization: OrganizationID? = nil
    ) async throws -> String {
        let body = #"{"asset":"\#(asset)","username":"\#(username)","secret":"\#(secret)"\#(more)}"#
        let answer = try await send(.post, "/api/v1/accounts/accounts/", body, in: organization?.description)
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(try answer.string("id"))
    }

    /// Creates an application over the API.
    func makeApplication(
        _ name: String, accounts: String = #"{"type":"all"}"#, more: String = "", in organization: OrganizationID? = nil
    ) async throws -> Answer {
        let body = #"{"name":"\#(name)","accounts":\#(accounts)\#(more)}"#
        return try await send(.post, "/api/v1/accounts/integration-applications/", body, in: organization?.description)
    }

    /// The administrator proves again who they are.
    func confirm() async throws {
        let answer = try await send(
            .post, "/api/v1/authentication/confirm/", #"{"confirm_type":"password","secret_key":"\#(password)"}"#)
        #expect(answer.status == 200, "\(answer.text)")
    }

    /// The newest entries of the audit, over the API.
    func entries(_ query: String) async throws -> [JSONValue] {
        let answer = try await send(.get, "/api/v1/audits/audit-logs/?" + query)
        #expect(answer.status == 200, "\(answer.text)")
        return Array(try #require(try answer.json.array))
    }
}
