internal import Access
package import Domain
internal import Logging
internal import Storage
internal import Synchronization

/// Goes on with every change that is open and due: at start-up or unsealing, and whenever one's pause is over.
package final class Settlement: Sendable {
    private let turning: SecretTurning
    private let principal: Principal
    /// Changes settled at the same time.
    private let width: Int

    package static let usualWidth = 8

    package init(_ turning: SecretTurning, width: Int = Settlement.usualWidth) {
        self.turning = turning
        self.width = max(1, width)
        principal = .system("settlement", permissions: [.rotateAccount])
    }

    /// Runs until its task is cancelled. A sealed vault is waited for.
    package func run(every interval: Duration = .seconds(5)) async {
        while !Task.isCancelled {
            do {
                _ = try await pass()
            } catch {
                turning.parts.logger.error("open changes cannot be settled", metadata: ["fault": "\(type(of: error))"])
            }
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }

    /// Goes on once with everything that is due; returns what came of each.
    @discardableResult
    package func pass() async throws -> [TurnReport] {
        let parts = turning.parts
        guard !parts.keyring.isSealed else { return [] }
        let keys = try parts.keyring.keys()
        let now = parts.clock.now()
        let found = try await parts.database.read { db in try SecretChanges.due(at: now, limit: 256, on: db) }
        var reports: [TurnReport] = []
        for start in stride(from: 0, to: found.count, by: width) {
            let some = found[start..<min(found.count, start + width)]
            await withTaskGroup(of: TurnReport?.self) { group in
                for row in some {
                    // A row that is not what was stored is left as it is, and said: nothing is sent because of it.
                    guard let change = try? keys.verified(row) else {
                        parts.logger.error("an open change does not authenticate", metadata: ["change": "\(row.value.id)"])
                        continue
                    }
                    group.addTask { [self] in await settle(change) }
                }
                for await report in group { if let report { reports.append(report) } }
            }
            if Task.isCancelled { break }
        }
        return reports
    }

    private func settle(_ change: OpenChange) async -> TurnReport? {
        let report = await turning.settle(change, by: principal)
        // Somebody is at it: what has no pause looks due while it is under way.
        return report.outcome.reason == .changeOpen ? nil : report
    }

    /// What is open, for metrics and alerts.
    package func figures() async throws -> (uncertain: Int64, since: Timestamp?) {
        let found = try await turning.parts.database.read { db in
            let found = try SecretChanges.uncertain(on: db)
            return [found.count, found.since?.milliseconds]
        }
        return (found[0] ?? 0, found[1].map { Timestamp(milliseconds: $0) })
    }

    /// Takes away what is remembered of logins of long ago.
    package func forgetOldLogins() async throws {
        let moment = turning.parts.clock.now().adding(seconds: -30 * 86_400)
        while try await turning.parts.database.write({ db in try LoginAttempts.delete(before: moment, on: db) }) > 0 {}
    }
}
