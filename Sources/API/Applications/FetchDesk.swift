internal import Access
internal import Audit
internal import Domain
internal import HTTPServer
internal import Vault

/// What one loop needs to serve fetches: contexts, its reader, and the answers that wait for the audit. Confined to the loop's thread.
final class FetchDesk {
    let gateDesk: GateDesk
    let fetch: SecretFetch
    var listener: Listener?
    private let loop: Int
    private let policies: PolicyStore
    private var pass: Pass?
    private var open: PolicySnapshot?
    private var used: [CredentialID: CredentialUses.Use] = [:]

    init(loop: Int, policies: PolicyStore, fetch: SecretFetch) throws {
        self.loop = loop
        self.policies = policies
        self.fetch = fetch
        gateDesk = try GateDesk()
    }

    /// The policies as they stand in this pass, with the keys taken up for it; nil while the vault is sealed. Locks are taken once a pass.
    func unsealed() -> PolicySnapshot? {
        if let open { return open }
        guard let snapshot = policies.snapshot, fetch.beginPass() else { return nil }
        open = snapshot
        return snapshot
    }

    /// Holds an answer back until its entry is durable.
    func park(_ exchange: Exchange, with response: consuming Response, _ entry: borrowing AuditEntry) {
        let pass = pass ?? Pass(Waiting(loop: loop, listener: listener))
        self.pass = pass
        pass.waiting.tickets.append(exchange.park(with: response))
        pass.batch.append(entry)
    }

    func used(_ credential: CredentialPolicy, at time: Timestamp, from address: String) {
        used[credential.id] = CredentialUses.Use(
            organization: credential.application.organization, date: time, address: address)
    }

    /// Ends the pass's read transaction and gives its entries to the committer.
    func endCycle(audit: AuditLog, usage: CredentialUses) {
        fetch.endPass()
        open = nil
        guard let pass else { return }
        self.pass = nil
        do {
            try audit.submit(pass.batch)
        } catch {
            pass.waiting.fail()
        }
        guard !used.isEmpty else { return }
        usage.note(used)
        used.removeAll(keepingCapacity: true)
    }

    /// The answers of one pass and their entries.
    private struct Pass {
        let waiting: Waiting
        let batch: AuditBatch

        init(_ waiting: Waiting) {
            self.waiting = waiting
            // The batch holds what waits and not the other way round: a ring of the two would stay in memory for ever, pass after pass.
            batch = AuditBatch { _, result in
                switch result {
                case .success: waiting.release()
                case .failure: waiting.fail()
                }
            }
        }
    }

    /// The answers of one pass, released together when their entries are durable.
    // Unchecked: the loop fills it, then gives it to the committer, which hands it back to nobody.
    private final class Waiting: @unchecked Sendable {
        var tickets: [Ticket] = []
        private let loop: Int
        private let listener: Listener?

        init(loop: Int, listener: Listener?) {
            self.loop = loop
            self.listener = listener
        }

        func release() { listener?.release(loop: loop, tickets) }

        /// Nothing leaves that is not written down.
        func fail() {
            listener?.complete(loop: loop, tickets.map { ($0, AccountSecretAnswer.auditFailed) })
        }
    }
}
