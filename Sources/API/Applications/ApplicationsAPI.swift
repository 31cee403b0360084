package import Access
package import Audit
package import Domain
package import HTTPServer
internal import Synchronization
package import Vault

/// The applications surface: secret fetches, answered on the loop's own thread.
///
/// A fetch is verified, decided and opened at once; its answer is parked with the loop until the audit entry is durable. One batch a pass
/// goes to the audit's committer, which wakes each loop once.
package final class ApplicationsAPI: Sendable {
    package struct Parts: Sendable {
        package let gate: ApplicationGate
        package let policies: PolicyStore
        package let audit: AuditLog
        package let usage: CredentialUses
        package let addresses: ClientAddressRule
        package let meter: FetchMeter
        package let settings: LiveSettings
        package let clock: WallClock

        package init(
            gate: ApplicationGate, policies: PolicyStore, audit: AuditLog, usage: CredentialUses,
            addresses: ClientAddressRule, meter: FetchMeter, settings: LiveSettings, clock: WallClock
        ) {
            self.gate = gate
            self.policies = policies
            self.audit = audit
            self.usage = usage
            self.addresses = addresses
            self.meter = meter
            self.settings = settings
            self.clock = clock
        }
    }

    let parts: Parts
    private let desks: Desks

    /// `makeFetch` gives each loop its way to the secrets, with the reader that it reads through.
    package init(parts: Parts, loops: Int, makeFetch: () throws -> SecretFetch) throws {
        self.parts = parts
        desks = Desks(
            try (0..<max(loops, 1)).map { loop in
                try FetchDesk(loop: loop, policies: parts.policies, fetch: makeFetch(), audit: parts.audit)
            })
    }

    /// Where parked answers are released; set once, before the listener starts.
    package func attach(_ listener: Listener) {
        for desk in desks.all { desk.listener = listener }
    }

    /// Lets go of the listener, after it has stopped: the two hold each other, and with them the data directory's lock.
    package func detach() {
        for desk in desks.all { desk.listener = nil }
    }

    /// Handles one fetch, on the loop's thread.
    package func handle(_ exchange: Exchange) {
        guard let desk = desks.desk(exchange.loop) else { return exchange.respond(Problem.unexpected(id: exchange.requestID)) }
        let now = parts.clock.now()
        let (origin, fault) = parts.addresses.origin(of: exchange, now: now)
        let request = SignedRequest(exchange, origin: origin, addressFault: fault)
        guard let snapshot = desk.unsealed() else {
            let entry = AuditEntry(
                time: now, actor: .anonymous, address: origin.addressText, organization: nil, action: .fetch, outcome: .refused,
                reason: "sealed", request: origin.request)
            return refuse(exchange, .sealed, entry, from: origin.address, isVerified: false, desk)
        }
        switch parts.gate.admit(request, headers: { exchange.header(named: $0) }, snapshot: snapshot, at: desk.gateDesk) {
        case .refused(let refusal, let entry, let isVerified):
            refuse(exchange, refusal, entry, from: origin.address, isVerified: isVerified, desk)
        case .admitted(let permit):
            serve(exchange, permit, desk)
        }
    }

    /// Hands the pass's entries to the committer, on the loop's thread.
    package func cycleEnded(loop: Int) {
        guard let desk = desks.desk(loop) else { return }
        desk.endCycle(usage: parts.usage)
    }

    // MARK: - Outcomes

    private func serve(_ exchange: Exchange, _ permit: consuming FetchPermit, _ desk: FetchDesk) {
        let credential = permit.credential
        let address = permit.origin.address
        do throws(Refusal) {
            let revealed = try desk.fetch.reveal(
                try AccountQuery.words(exchange.query), against: permit, selector: AccountQuery.selector)
            let isHidden = parts.settings.hidesSecrets
            let response = AccountSecretAnswer.response(revealed, application: credential.application.id, isHidden: isHidden)
            guard let response else { throw .unavailable("out of memory") }
            let entry = permit.granted(
                objects: revealed.found.objects, version: revealed.version, reason: isHidden ? "secret withheld by setting" : "",
                at: parts.clock.now())
            parts.meter.granted(since: exchange.receivedAt)
            desk.used(credential, at: entry.time, from: address)
            desk.park(exchange, with: response, entry)
        } catch {
            let asked = AccountQuery.object(exchange.query)
            let entry = permit.refused(error, objects: asked, at: parts.clock.now())
            parts.meter.refused(error.code, since: exchange.receivedAt)
            desk.park(exchange, with: AccountSecretAnswer.problem(error, parts.settings, exchange.requestID), entry)
        }
    }

    private func refuse(
        _ exchange: Exchange, _ refusal: Refusal, _ entry: AuditEntry, from address: IPAddress?, isVerified: Bool,
        _ desk: FetchDesk
    ) {
        parts.meter.refused(refusal.code, since: exchange.receivedAt)
        let response = AccountSecretAnswer.problem(refusal, parts.settings, exchange.requestID)
        // Beyond its rate a refusal without a verified credential is only counted; its answer waits for nothing.
        if !isVerified,
            parts.audit.refusals.admit(address: address, action: entry.action, reason: entry.reason) == .counted
        {
            return exchange.respond(response)
        }
        desk.park(exchange, with: response, entry)
    }

    /// One desk a loop, each used by its loop's thread alone.
    // Unchecked: the array never changes, and a loop asks for its own desk only.
    private final class Desks: @unchecked Sendable {
        let all: [FetchDesk]
        init(_ all: [FetchDesk]) { self.all = all }
        func desk(_ loop: Int) -> FetchDesk? { all.indices.contains(loop) ? all[loop] : nil }
    }
}
