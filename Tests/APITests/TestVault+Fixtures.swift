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

    /// Stores a record of an execution, with the account's version as its old and its new one.
    func makeRecord(
        of execution: String, account: String, status: Record.Status = .failed, reason: Record.Reason? = .timedOut,
        in organization: OrganizationID = .default
    ) async throws -> RecordID {
        let (execution, account) = (try #require(ExecutionID(execution)), try #require(AccountID(account)))
        let keys = try backend.keyring.keys()
        return try await backend.database.write { db in
            let run = try keys.verified(Executions.get(execution, in: organization, on: db))
            let row = try keys.verified(Accounts.get(account, in: organization, on: db))
            let record = Record(
                id: .random(), organization: organization, execution: execution, kind: run.kind, asset: row.asset, assetName: "a",
                account: account, username: row.username, secretType: row.secretType, status: status, reason: reason,
                oldVersion: row.stages.previous ?? row.stages.current, newVersion: row.stages.current,
                steps: [Record.Step(.verify, reason: .timedOut, words: "no answer", date: .now)], dateCreated: .now)
            try Records.insert(keys.authenticated(record), on: db)
            return record.id
        }
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

// MARK: - Tasks

extension TestVault {
    /// Defines a task that changes secrets, over the API, and returns its id.
    func makeTask(_ name: String, accounts: String = #"["@ALL"]"#, more: String = "") async throws -> String {
        let body = #"{"name":"\#(name)","accounts":\#(accounts),"secret_strategy":"random"\#(more)}"#
        let answer = try await send(.post, "/api/v1/accounts/change-secret-automations/", body)
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(try answer.string("id"))
    }

    /// Asks for a run of such a task, and returns the id of the execution.
    func run(_ task: String) async throws -> String {
        let answer = try await send(.post, "/api/v1/accounts/change-secret-executions/", #"{"automation":"\#(task)"}"#)
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(try answer.string("task"))
    }
}
