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

    /// Throws what passes, a full disk or a sealed vault; the execution stays open then, for its records are.
    ///
    /// - Parameter reason: why the execution did not end by itself; nil where the server stopped.
    func settle(because reason: String? = nil) async throws {
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
            if let passing = await settle(rows, try parts.keys.keys()) { throw passing }
        }
        try await ExecutionEnding(parts: parts, execution: id, organization: organization)
            .interrupt(reason ?? Record.Reason.interrupted.words)
    }

    /// Settles records; of executions that are over too, where what was done could not be written down then. One that does not
    /// authenticate is told of and left. Returns a fault that passes, if there was one.
    @discardableResult
    func settle(_ rows: [Authenticated<Record>], _ keys: RowKeys) async -> (any Error)? {
        await withTaskGroup(of: (any Error)?.self) { group in
            var passing: (any Error)?
            for (place, row) in rows.enumerated() {
                if place >= parts.limits.overall, let fault = await group.next() { passing = passing ?? fault }
                // What stands against one stands against all.
                if passing != nil { break }
                group.addTask { await settle(row, keys) }
            }
            for await fault in group { passing = passing ?? fault }
            return passing
        }
    }

    private func settle(_ row: Authenticated<Record>, _ keys: RowKeys) async -> (any Error)? {
        do {
            try await settle(keys.verified(row))
            return nil
        } catch {
            parts.logger.error("a record was not settled", metadata: ["record": "\(row.value.id)", "fault": "\(error)"])
            return Self.isPassing(error) ? error : nil
        }
    }

    /// Whether it may go a little later: when there is space again, or the vault is open.
    static func isPassing(_ error: any Error) -> Bool {
        if let refusal = error as? Refusal {
            return switch refusal {
            case .sealed, .unavailable: true
            default: false
            }
        }
        return switch error as? StorageFault {
        case .full, .readOnly, .busy, .io, .transactionLost: true
        default: false
        }
    }

    private func settle(_ record: Record) async throws {
        let account = try await entry(of: record)
        guard record.dateStart != nil else {
            return try await account.entry.close(with: WorkReport(.skipped, reason: .interrupted))
        }
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
