internal import Access
internal import Audit
internal import Domain
internal import HTTPServer
internal import Synchronization
internal import Vault

/// What one loop needs to serve fetches: contexts, its reader, and the answers that wait for the audit. Confined to the loop's thread.
final class FetchDesk {
    let gateDesk: GateDesk
    let fetch: SecretFetch
    var listener: Listener?
    private let loop: Int
    private let policies: PolicyStore
    private let audit: AuditLog
    private var pass: Pass?
    private let spare = SparePasses()
    private var open: PolicySnapshot?
    private var used: [(credential: CredentialID, use: CredentialUses.Use)] = []

    /// Entries that are handed over before the pass ends: the committer writes them while the loop goes on with the rest. With all of
    /// a pass at once, loop and committer would wait for each other by turns; with few, each commit would pay for its sync alone.
    private static let entriesAtOnce = 16

    init(loop: Int, policies: PolicyStore, fetch: SecretFetch, audit: AuditLog) {
        self.loop = loop
        self.policies = policies
        self.fetch = fetch
        self.audit = audit
        gateDesk = GateDesk()
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
        let pass = openPass()
        pass.batch.append(entry)
        park(exchange, with: response, in: pass)
    }

    /// The same for a granted fetch.
    func park(_ exchange: Exchange, with response: consuming Response, _ entry: FetchEntry) {
        let pass = openPass()
        pass.batch.append(entry)
        park(exchange, with: response, in: pass)
    }

    private func openPass() -> Pass {
        if let pass { return pass }
        let pass = spare.take() ?? Pass(Waiting(loop: loop, listener: listener), spare)
        self.pass = pass
        return pass
    }

    private func park(_ exchange: Exchange, with response: consuming Response, in pass: Pass) {
        pass.waiting.requests.append(exchange.requestID)
        pass.waiting.tickets.append(exchange.park(with: response))
        if pass.waiting.tickets.count >= Self.entriesAtOnce { submit() }
    }

    private func submit() {
        guard let pass else { return }
        self.pass = nil
        do {
            try audit.submit(pass.batch)
        } catch {
            pass.waiting.fail()
        }
    }

    func used(_ credential: CredentialPolicy, at time: Timestamp, from address: IPAddress?) {
        used.append(
            (
                credential.id,
                CredentialUses.Use(organization: credential.application.organization, date: time, address: address)
            ))
    }

    /// Ends the pass's read transaction and gives its entries to the committer.
    func endCycle(usage: CredentialUses) {
        fetch.endPass()
        open = nil
        submit()
        guard !used.isEmpty else { return }
        usage.note(used)
        used.removeAll(keepingCapacity: true)
    }
}

/// The answers of one pass and their entries; kept for a later pass, with its memory, when all is done.
private struct Pass: Sendable {
    let waiting: Waiting
    let batch: AuditBatch

    init(_ waiting: Waiting, _ spare: SparePasses) {
        self.waiting = waiting
        // The batch holds what waits and not the other way round, and only a weak hold on where it is kept: a ring would stay in memory.
        batch = AuditBatch { [weak spare] batch, result in
            switch result {
            case .success: waiting.release()
            case .failure: waiting.fail()
            }
            spare?.give(back: Pass(waiting, batch))
        }
    }

    private init(_ waiting: Waiting, _ batch: AuditBatch) {
        self.waiting = waiting
        self.batch = batch
    }
}

/// The answers of one pass, released together when their entries are durable.
// Unchecked: the loop fills it, then gives it to the committer, which gives it back when it is done; one has it at a time.
private final class Waiting: @unchecked Sendable {
    var tickets: [Ticket] = []
    /// Whose they are, in the same order.
    var requests: [HTTPServer.RequestID] = []
    private let loop: Int
    private let listener: Listener?

    init(loop: Int, listener: Listener?) {
        self.loop = loop
        self.listener = listener
    }

    func release() { listener?.release(loop: loop, tickets) }

    /// Nothing leaves that is not written down.
    func fail() {
        listener?.complete(loop: loop, zip(tickets, requests).map { ($0, AccountSecretAnswer.auditFailed($1)) })
    }
}

/// Passes that are done, waiting to be filled again.
private final class SparePasses: Sendable {
    private static let capacity = 16
    private let passes = Mutex<[Pass]>([])

    func give(back pass: Pass) {
        passes.withLock { if $0.count < Self.capacity { $0.append(pass) } }
    }

    /// An empty pass; what it held is freed here, on the loop's thread, where it was made.
    func take() -> Pass? {
        guard let pass = passes.withLock({ $0.popLast() }) else { return nil }
        pass.waiting.tickets.removeAll(keepingCapacity: true)
        pass.waiting.requests.removeAll(keepingCapacity: true)
        pass.batch.removeAll()
        return pass
    }
}
