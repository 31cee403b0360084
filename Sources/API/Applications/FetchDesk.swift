internal import Access
internal import Audit
internal import Domain
internal import HTTPServer
internal import Sealing
internal import Storage
internal import Vault

/// What one loop needs to serve fetches: contexts, its reader, and the answers that wait for the audit. Confined to the loop's thread.
final class FetchDesk {
    let gateDesk: GateDesk
    let fetch: SecretFetch
    var listener: Listener?
    private let loop: Int
    private let reader: FetchReader
    private var entries: [AuditEntry] = []
    private var tickets: [Ticket] = []
    private var used: [CredentialID: CredentialUses.Use] = [:]

    init(loop: Int, reader: FetchReader) throws {
        self.loop = loop
        self.reader = reader
        gateDesk = try GateDesk()
        fetch = SecretFetch(reader: reader, workspace: try SealingWorkspace())
    }

    /// Holds an answer back until its entry is durable.
    func park(_ exchange: Exchange, with response: consuming Response, _ entry: AuditEntry) {
        tickets.append(exchange.park(with: response))
        entries.append(entry)
    }

    func used(_ credential: CredentialPolicy, at time: Timestamp, from address: String) {
        used[credential.id] = CredentialUses.Use(
            organization: credential.application.organization, date: time, address: address)
    }

    /// Ends the pass's read transaction and gives its entries to the committer.
    func endCycle(audit: AuditLog, usage: CredentialUses) {
        reader.endCycle()
        guard !entries.isEmpty, let listener else { return }
        let waiting = tickets
        let loop = loop
        let batch = AuditBatch { _, result in
            switch result {
            case .success:
                listener.release(loop: loop, waiting)
            case .failure:
                // Nothing leaves that is not written down.
                listener.complete(loop: loop, waiting.map { ($0, AccountSecretAnswer.auditFailed) })
            }
        }
        for entry in entries { batch.append(entry) }
        do {
            try audit.submit(batch)
        } catch {
            listener.complete(loop: loop, waiting.map { ($0, AccountSecretAnswer.auditFailed) })
        }
        entries.removeAll(keepingCapacity: true)
        tickets.removeAll(keepingCapacity: true)
        guard !used.isEmpty else { return }
        usage.note(used)
        used.removeAll(keepingCapacity: true)
    }
}
