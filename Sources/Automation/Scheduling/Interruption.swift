internal import Access
internal import Domain
internal import Logging
internal import Storage

/// Clears up after an execution that the server did not finish: accounts that were begun are settled, the others are said to be untouched.
struct Interruption: Sendable {
    let parts: AutomationParts
    let slots: WorkSlots
    let execution: Execution

    private static let chunk: Int64 = 500

    func settle() async throws {
        let (organization, id) = (execution.organization, execution.id)
        var tried: Set<RecordID> = []
        while true {
            let rows = try await parts.database.read { db in
                try Records.pending(of: id, in: organization, limit: Self.chunk, on: db)
            }
            // Records that cannot be closed must not be tried for ever.
            guard rows.contains(where: { !tried.contains($0.value.id) }) else { break }
            tried.formUnion(rows.map(\.value.id))
            let records = try parts.keys.keys().verified(rows)
            await withTaskGroup(of: Void.self) { group in
                for (place, record) in records.enumerated() {
                    if place >= parts.limits.overall { await group.next() }
                    group.addTask { await settle(record) }
                }
            }
        }
        try await ExecutionEnding(parts: parts, execution: id, organization: organization).interrupt()
    }

    private func settle(_ record: Record) async {
        do {
            if record.dateStart == nil {
                try await close(record, with: WorkReport(.skipped, reason: .interrupted), marking: nil)
            } else {
                try await settleBegun(record)
            }
        } catch {
            parts.logger.error("a record was not settled", metadata: ["record": "\(record.id)", "fault": "\(error)"])
        }
    }

    private func settleBegun(_ record: Record) async throws {
        let keys = try parts.keys.keys()
        let organization = record.organization
        let asset = try await parts.database.read { db in
            try Assets.get(record.asset, in: organization, on: db).map { try keys.verified($0) }
        }
        let work = PlannedWork(
            asset: record.asset, assetName: record.assetName, host: asset?.address.lowercased() ?? "",
            platformType: asset.flatMap { Platform.named($0.platform)?.type } ?? "", account: record.account,
            accountName: record.username, username: record.username, secretType: record.secretType, version: record.newVersion,
            hasSecret: true, worker: nil, workerName: "", refusal: nil)
        let order = parts.order(for: work, record: record.id, of: execution)
        let objects = parts.objects(of: work, in: execution)
        let principal = Principal.system("settlement", permissions: [.runAutomation])
        try await slots.run(at: WorkSlots.Place(host: work.host)) { () -> Result<Void, any Error> in
            do {
                try await parts.gate.change(
                    .runAutomation, as: principal, in: organization, from: .internal(now: parts.clock.now()), objects: objects
                ) { permit in
                    let warrant = permit.warrant()
                    let report = await parts.work.settle(order, by: warrant)
                    try await close(record, with: report, marking: warrant.origin.request)
                    return .init((), objects: objects, version: report.newVersion, reason: ExecutionRun.words(report))
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }.get()
    }

    private func close(_ record: Record, with report: WorkReport, marking request: RequestID?) async throws {
        let now = parts.clock.now()
        let keys = try parts.keys.keys()
        try await parts.database.write { db in
            try RecordClosing.close(record.id, in: record.organization, with: report, at: now, keys: keys, on: db)
            if let request { try ChangeMarks.insert(request, at: now, on: db) }
        }
        parts.meter.count(record.kind, report.status)
    }
}
