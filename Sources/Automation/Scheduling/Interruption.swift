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
            let found = try await parts.database.read { db in
                try Records.pending(of: id, in: organization, limit: Self.chunk, on: db)
            }
            // One that cannot be read stays as it is, and takes none of the others with it.
            let rows = found.compactMap { try? $0.get() }
            // Records that cannot be closed must not be tried for ever.
            guard rows.contains(where: { !tried.contains($0.value.id) }) else { break }
            tried.formUnion(rows.map(\.value.id))
            await settle(rows, try parts.keys.keys())
        }
        try await ExecutionEnding(parts: parts, execution: id, organization: organization).interrupt()
    }

    /// Settles records; of executions that are over too, where what was done could not be written down then. One that does not
    /// authenticate is told of and left.
    func settle(_ rows: [Authenticated<Record>], _ keys: RowKeys) async {
        await withTaskGroup(of: Void.self) { group in
            for (place, row) in rows.enumerated() {
                if place >= parts.limits.overall { await group.next() }
                group.addTask {
                    do {
                        await settle(try keys.verified(row))
                    } catch {
                        parts.logger.error(
                            "a record was not settled", metadata: ["record": "\(row.value.id)", "fault": "\(error)"])
                    }
                }
            }
        }
    }

    private func settle(_ record: Record) async {
        do {
            let account = try await entry(of: record)
            if record.dateStart == nil {
                try await account.entry.close(with: WorkReport(.skipped, reason: .interrupted))
            } else {
                try await slots.run(at: account.place) { () -> Result<Void, any Error> in
                    do {
                        try await account.entry.enter(as: .system("settlement")) {
                            await parts.work.settle(account.entry.order, by: $0)
                        }
                        return .success(())
                    } catch {
                        return .failure(error)
                    }
                }.get()
            }
        } catch {
            parts.logger.error("a record was not settled", metadata: ["record": "\(record.id)", "fault": "\(error)"])
        }
    }

    private func entry(of record: Record) async throws -> (entry: AccountEntry, place: WorkSlots.Place) {
        let keys = try parts.keys.keys()
        let organization = record.organization
        let (asset, gateway) = try await parts.database.read { db in
            let asset = try Assets.get(record.asset, in: organization, on: db).map { try keys.verified($0) }
            var lookup = GatewayLookup(keys, db)
            // For the limit alone: whoever does the work finds the way anew, and says what is wrong with it.
            return (asset, try? asset.map { try lookup.choice(for: $0) }?.gateway?.asset)
        }
        let work = PlannedWork(
            asset: record.asset, assetName: record.assetName, host: asset?.address.lowercased() ?? "",
            platformType: asset.flatMap { Platform.named($0.platform)?.type } ?? "", account: record.account,
            accountName: record.username, username: record.username, secretType: record.secretType, version: record.newVersion,
            hasSecret: true, worker: nil, workerName: "", gateway: gateway?.id, gatewayName: gateway?.name ?? "", refusal: nil)
        let entry = AccountEntry(
            parts: parts, order: parts.order(for: work, record: record.id, of: execution),
            objects: parts.objects(of: work, in: execution))
        return (entry, WorkSlots.Place(host: work.host, gateway: work.gateway))
    }
}
