package import Access
package import Domain
internal import Connectors
internal import Cryptography
internal import Logging
internal import Storage
internal import Vault

/// Changes, pushes, checks and removes accounts on their targets: each by the gate's leave, one piece of work for an account at a time.
package struct SecretTurning: Sendable {
    package let parts: TurnParts

    package init(_ parts: TurnParts) { self.parts = parts }

    // Each piece of work comes in two forms: `by` a principal, who is asked for at the gate and written down; and `under` a warrant, for
    // somebody who has passed the gate for this very account and writes it down himself.

    /// Sets a new secret on the target and makes it current here.
    package func turn(
        _ account: AccountID, in organization: OrganizationID, _ order: TurnOrder, by principal: Principal
    ) async -> TurnReport {
        await guarded(.rotateAccount, account, organization, order, principal) { await turn(account, order, under: $0) }
    }

    package func turn(_ account: AccountID, _ order: TurnOrder, under warrant: Warrant) async -> TurnReport {
        await alone(account, order) {
            await TurnRun(parts, warrant, account: account, order: order, purpose: .change).run()
        }
    }

    /// Creates the account on the target where it is not there; sets the secret of one that Keyturn holds none for. Leaves others alone,
    /// unless the order says more.
    package func push(
        _ account: AccountID, in organization: OrganizationID, _ order: TurnOrder, by principal: Principal
    ) async -> TurnReport {
        await guarded(.pushAccount, account, organization, order, principal) { await push(account, order, under: $0) }
    }

    package func push(_ account: AccountID, _ order: TurnOrder, under warrant: Warrant) async -> TurnReport {
        await alone(account, order) {
            await TurnRun(parts, warrant, account: account, order: order, purpose: .push).run()
        }
    }

    /// Puts a kept version back on the target, as a new change: the new version has the same value.
    package func restore(
        _ version: Int64, of account: AccountID, in organization: OrganizationID, _ order: TurnOrder, by principal: Principal
    ) async -> TurnReport {
        var order = order
        order.strategy = .kept(version: version)
        return await turn(account, in: organization, order, by: principal)
    }

    /// Goes on with a change that is open, whether or not its time has come. Nil if none is open.
    package func settle(
        _ account: AccountID, in organization: OrganizationID, by principal: Principal
    ) async throws -> TurnReport? {
        let keys = try parts.keyring.keys()
        let found = try await parts.database.read { db in try SecretChanges.of(account, in: organization, on: db) }
        guard let found else { return nil }
        return await settle(try keys.verified(found), by: principal)
    }

    func settle(_ change: OpenChange, by principal: Principal) async -> TurnReport {
        // Nothing is announced of what somebody else is at.
        guard !parts.active.isClaimed(change.account) else { return Self.busy(change.account, Self.order(of: change)) }
        let permission: Permission = change.kind == .remove ? .removeAccount : .rotateAccount
        return await guarded(permission, change.account, change.organization, Self.order(of: change), principal) {
            await settle(change, under: $0)
        }
    }

    func settle(_ change: OpenChange, under warrant: Warrant) async -> TurnReport {
        let order = Self.order(of: change)
        return await alone(change.account, order) {
            // Somebody may have gone on with it between the look and the claim.
            guard let change = await self.still(change) else {
                return TurnReport(
                    change: order.id, account: change.account, outcome: RecordOutcome(.skipped, .unchanged))
            }
            return await TurnRun(parts, warrant, resuming: change, order: order).run()
        }
    }

    private static func order(of change: OpenChange) -> TurnOrder {
        var order = TurnOrder(id: change.id, strategy: .kept(version: change.memory.candidate ?? 0))
        order.checksConnection = change.plan.checksConnection
        order.allowsPrivileged = true
        order.allowsSystemAccounts = true
        return order
    }

    /// The change as it is stored now; nil where it is not open any more.
    func still(_ change: OpenChange) async -> OpenChange? {
        guard let keys = try? parts.keyring.keys() else { return nil }
        let found = try? await parts.database.read { db in try SecretChanges.get(change.id, in: change.organization, on: db) }
        return found.flatMap { $0 }.flatMap { try? keys.verified($0) }
    }

    // MARK: - The gate

    /// One piece of work for an account at a time.
    func alone(_ account: AccountID, _ order: TurnOrder, _ work: () async -> TurnReport) async -> TurnReport {
        guard parts.active.claim(account) else { return Self.busy(account, order) }
        defer { parts.active.release(account) }
        return await work()
    }

    private static func busy(_ account: AccountID, _ order: TurnOrder) -> TurnReport {
        TurnReport(
            change: order.id, account: account,
            outcome: RecordOutcome(.skipped, .changeOpen, words: "It is being worked on."))
    }

    /// By the gate: announced before and written down after.
    func guarded(
        _ permission: Permission, _ account: AccountID, _ organization: OrganizationID, _ order: TurnOrder,
        _ principal: Principal, _ work: (Warrant) async -> TurnReport
    ) async -> TurnReport {
        var report: TurnReport?
        let object = AuditObject(kind: "account", id: account.description)
        do {
            return try await parts.gate.change(
                permission, as: principal, in: organization, from: .internal(now: parts.clock.now()), objects: [object]
            ) { permit in
                let done = await work(permit.warrant())
                report = done
                permit.concerns([object], version: done.newVersion)
                let outcome = done.outcome
                guard outcome.status == .success || outcome.status == .unverifiable else { throw TurnEnded(outcome: outcome) }
                return .init(done, objects: [object], version: done.newVersion, reason: outcome.remark)
            }
        } catch {
            // What was done is done, whether or not its outcome could be written down.
            return report ?? TurnReport(change: order.id, account: account, outcome: Stop(error).outcome)
        }
    }
}

extension RecordOutcome {
    /// What the audit says of one that ended well: also what was done besides what was asked for.
    fileprivate var remark: String {
        [reason == .proven ? "" : reason.rawValue, words].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}

/// A turn that did not end well, on its way through the gate to the audit.
struct TurnEnded: Error, AuditedFailure {
    let outcome: RecordOutcome

    var auditReason: String {
        "\(outcome.status.rawValue): \(outcome.reason.rawValue)" + (outcome.words.isEmpty ? "" : ": \(outcome.words)")
    }
}
