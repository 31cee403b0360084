internal import Access
internal import Automation
internal import Domain
internal import HTTPServer
internal import JSON
internal import Storage

/// What executions did to single accounts: `/api/v1/accounts/change-secret-records/` and its relatives.
package struct RecordsResource: Sendable {
    let backend: Backend
    let paths: AutomationPaths

    package static func routes(_ backend: Backend) -> [Route] {
        AutomationPaths.all.flatMap { paths in
            let resource = RecordsResource(backend: backend, paths: paths)
            return resource.reading + (paths.kind.setsSecret ? resource.acting : [])
        }
    }

    private var reading: [Route] {
        let path = paths.records
        return [
            Route(
                .get, path, .permission(.viewRecord), "List records of \(paths.noun)s", response: RecordView.schema, style: .list
            ) { try await list($0) },
            Route(
                .get, path, "dashboard/", .permission(.viewRecord), "Numbers over the last days, 30 unless ?days= says otherwise",
                response: Self.totals
            ) { try await dashboard($0) },
            Route(.get, path, "{id}/", .permission(.viewRecord), "One record with its steps", response: RecordView.schema) {
                try await show($0)
            },
            Route(
                .patch, path, "{id}/ignore-fail/", .permission(.changeRecord),
                "Set a failure aside; ignore_fail false takes that back", request: Self.ignoring, response: RecordView.schema
            ) { try await ignore($0) },
        ]
    }

    /// What can be done about accounts whose secrets were set.
    private var acting: [Route] {
        let path = paths.records
        return [
            Route(
                .post, path, "execute/", .permission(.runAutomation),
                "Try again, with the same new secret where one was made", request: Self.chosen, response: Self.begun,
                style: .one(status: 201)
            ) { try await RecordActions(backend: backend, paths: paths, call: $0).execute() },
            Route(
                .post, path, "verify/", .permission(.verifyAccount), "Log in with the records' new secrets", request: Self.chosen,
                response: Self.begun, style: .one(status: 201)
            ) { try await RecordActions(backend: backend, paths: paths, call: $0).verify() },
            Route(
                .post, path, "restore/", .permission(.restoreRecord),
                "Put the secrets from before back, on the targets too; to users who confirmed lately who they are",
                request: Self.chosen, response: Self.begun, style: .one(status: 201)
            ) { try await RecordActions(backend: backend, paths: paths, call: $0).restore() },
            Route(
                .get, path, "{id}/secret/", .permission(.revealAccount),
                "A record's old and new secret, to users who confirmed lately who they are", response: RecordSecret.schema
            ) { try await RecordSecret(backend: backend, paths: paths, call: $0).reveal() },
        ]
    }

    private static let chosen = Schema("RecordsChosen", [.field("record_ids", .texts, .required)])
    private static let begun = Schema(
        "RecordActionsStarted",
        [
            .field("task", .uuid, .readOnly, "The id of the first execution."),
            .field("tasks", .texts, .readOnly, "Ids of all of them: one for each execution that the records are from."),
        ])
    private static let ignoring = Schema("RecordIgnored", [.field("ignore_fail", .boolean)])
    private static let totals = Schema(
        "RecordTotals",
        [
            .field("days", .integer, .readOnly), .field("records", .anyObject, .readOnly, "By status."),
            .field("executions", .anyObject, .readOnly, "By status."), .field("assets", .integer, .readOnly),
            .field("accounts", .integer, .readOnly), .field("failed", .list(of: RecordView.schema.fields), .readOnly),
        ])

    static func object(_ id: RecordID) -> AuditObject { AuditObject(kind: "record", id: id.description) }
}

// MARK: - Reading

extension RecordsResource {
    private func list(_ call: Call) async throws -> Reply {
        let page = try Page(call.query)
        var wanted = try ListRequest<RecordField>(call, page, own: ["execution", "asset", "account"])
        if let id = try call.query.id("execution", of: Execution.self) {
            wanted.filters.append(ListFilter(.execution, anyOf: [id]))
        }
        if let id = try call.query.id("asset", of: Asset.self) { wanted.filters.append(ListFilter(.asset, anyOf: [id])) }
        if let id = try call.query.id("account", of: Account.self) { wanted.filters.append(ListFilter(.account, anyOf: [id])) }
        wanted.filters.append(kindFilter)
        let (request, organization) = (wanted, call.organization)
        let found = try await backend.viewSound(.viewRecord, call, page) { transaction in
            let list = try Records.found(request, in: organization, on: transaction.db)
            try page.requireWhole(list.total)
            let (records, damaged) = transaction.keys.sound(list.rows)
            return SoundPage(rows: records.map { RecordView(record: $0) }, total: list.total, damaged: damaged)
        }
        return .list(found.rows, total: Int(clamping: found.total), page: page, call: call, damaged: found.damaged.count) {
            $0.write(to: &$1)
        }
    }

    private var kindFilter: ListFilter<RecordField> { ListFilter(.type, .anyOf(paths.kinds.map { .text($0.rawValue) })) }

    private func show(_ call: Call) async throws -> Reply {
        let id: RecordID = try call.id()
        let view = try await backend.view(.viewRecord, call, objects: [Self.object(id)], naming: { [$0.object] }) {
            RecordView(record: try stored(id, in: call.organization, $0))
        }
        return view.reply
    }

    /// The record of one of these kinds, once its row has been found to be its own.
    func stored(_ id: RecordID, in organization: OrganizationID, _ transaction: Transaction) throws -> Record {
        let record = try transaction.keys.verified(Records.get(id, in: organization, on: transaction.db))
        guard paths.kinds.contains(record.kind) else { throw Refusal.notFound }
        return record
    }

    private func dashboard(_ call: Call) async throws -> Reply {
        let days = try call.query.integer("days", in: 1...3650) ?? 30
        let since = backend.clock.now().adding(seconds: -Int64(days) * 86_400)
        let statuses = Record.Status.allCases.filter(\.needsAttention)
        let failed = ListRequest<RecordField>(
            filters: [
                kindFilter, ListFilter(.status, .anyOf(statuses.map { .text($0.rawValue) })),
                ListFilter(.isIgnored, .exact(.flag(false))),
            ], limit: 20)
        let (organization, kinds) = (call.organization, paths.kinds)
        let (totals, records) = try await backend.view(.viewRecord, call) { transaction in
            let totals = try Records.totals(of: kinds, since: since, in: organization, on: transaction.db)
            let rows = try Records.list(failed, in: organization, on: transaction.db).rows
            return (totals, try transaction.keys.verified(rows).map { RecordView(record: $0) })
        }
        return .object { writer in
            writer.field("days", days)
            writer.object("records") {
                for status in Record.Status.allCases { $0.field(status.rawValue, totals.byStatus[status] ?? 0) }
            }
            writer.object("executions") {
                for status in Execution.Status.allCases { $0.field(status.rawValue, totals.executions[status] ?? 0) }
            }
            writer.field("assets", totals.assets)
            writer.field("accounts", totals.accounts)
            writer.array("failed") { list in for record in records { record.write(to: &list) } }
        }
    }

    // MARK: - Changing

    private func ignore(_ call: Call) async throws -> Reply {
        let id: RecordID = try call.id()
        let isIgnored: Bool = try call.body { body in
            let flag = body.optional("ignore_fail", .bool, default: true)
            return try body.finish(flag)
        }
        let organization = call.organization
        let view = try await backend.change(.changeRecord, call, objects: [Self.object(id)], naming: { [$0.object] }) {
            transaction in
            var record = try stored(id, in: organization, transaction)
            record.isIgnored = isIgnored
            _ = try Records.update(transaction.keys.authenticated(record), on: transaction.db)
            return RecordView(record: record)
        }
        return view.reply
    }
}
