internal import Cryptography
package import Domain
internal import Synchronization

/// The door for secret fetches: who signed this, is it fresh, may it come from there. Answers on the calling thread without waiting.
///
/// Every failure looks the same outside and does the same work, one code and no row read; the true reason is for the audit.
package final class ApplicationGate: Sendable {
    package struct Rules: Sendable {
        /// How far a signature's date may be from now, either way, in seconds: 10 to 900.
        package var windowSeconds: Int64
        /// Whether a signature dated before this server started counts; a replay from before the start could not be told.
        package var acceptsBeforeStart: Bool

        package init(windowSeconds: Int64 = 60, acceptsBeforeStart: Bool = false) {
            self.windowSeconds = min(max(windowSeconds, 10), 900)
            self.acceptsBeforeStart = acceptsBeforeStart
        }
    }

    /// How a request fares at the door.
    ///
    /// `isVerified` tells that the credential has proved itself just now: good signature, fresh, from where it may come, and no replay. A
    /// captured request has a good signature for ever, so its refusals are as anybody's: counted beyond a rate.
    package enum Admission: ~Copyable {
        case admitted(FetchPermit)
        case refused(Refusal, AuditEntry, isVerified: Bool)
    }

    private let rules: Rules
    private let replay: ReplayMemory
    private let limits: FetchLimits
    private let throttle: SignatureThrottle
    private let abandoned: any AbandonedFetches
    private let started: Timestamp
    private let decoy: HMACKey

    package init(
        rules: Rules, replay: ReplayMemory, limits: FetchLimits, throttle: SignatureThrottle = SignatureThrottle(),
        abandoned: any AbandonedFetches, started: Timestamp
    ) throws {
        self.rules = rules
        self.replay = replay
        self.limits = limits
        self.throttle = throttle
        self.abandoned = abandoned
        self.started = started
        decoy = try HMACKey.random()
    }

    /// Lets a request in or refuses it; the refusal's audit entry comes with it and is written before the answer leaves.
    package func admit(
        _ request: SignedRequest, headers: SignedRequest.Headers, snapshot: PolicySnapshot, at desk: GateDesk
    ) -> Admission {
        let now = request.origin.received
        let verdict = verify(request, headers, snapshot, desk, now)
        if verdict.reason == nil, let credential = verdict.credential {
            switch limits.take(credential.application, now: now) {
            case .allowed:
                return .admitted(FetchPermit(credential: credential, origin: request.origin, abandoned: abandoned))
            case .refused(let seconds):
                return refuse(
                    request.origin, .tooMany(retryAfterSeconds: seconds), "rate limit", signer: credential, isVerified: true, now)
            }
        }
        if verdict.replay == .full {
            return refuse(
                request.origin, .tooMany(retryAfterSeconds: Int(rules.windowSeconds)), "replay memory is full",
                signer: verdict.credential,
                isVerified: true, now)
        }
        let reason = verdict.reason ?? "unknown"
        let signer = verdict.isSignatureGood ? verdict.credential : nil
        if !verdict.isSignatureGood, let address = request.origin.address,
            case .refused(let seconds) = throttle.noteFailure(from: address, now: now)
        {
            return refuse(request.origin, .tooMany(retryAfterSeconds: seconds), reason, claimed: verdict.credential, now)
        }
        return refuse(request.origin, verdict.refusal(reason), reason, signer: signer, claimed: verdict.credential, now)
    }

    // MARK: - Verification

    private struct Verdict {
        var credential: CredentialPolicy?
        var reason: String?
        var isSignatureGood = false
        var hasNoCredentials = false
        var replay = ReplayMemory.Outcome.fresh

        func refusal(_ reason: String) -> Refusal { hasNoCredentials ? .noCredentials : .unauthenticated(reason: reason) }
    }

    private func verify(
        _ request: SignedRequest, _ headers: SignedRequest.Headers, _ snapshot: PolicySnapshot, _ desk: GateDesk, _ now: Timestamp
    ) -> Verdict {
        var verdict = Verdict()
        guard let authorization = header("authorization", headers) else {
            verdict.hasNoCredentials = true
            verdict.reason = "no authorization header"
            return verdict
        }
        let signature: SignatureHeader
        do {
            signature = try SignatureHeader(authorization)
        } catch {
            desk.spendOneCode(decoy)
            verdict.reason = "malformed authorization: \(error)"
            return verdict
        }
        let credential = signature.credential.flatMap { snapshot.credential($0) }
        verdict.credential = credential
        let problem = checkCode(request, headers, signature, credential, desk)
        verdict.isSignatureGood = problem == nil
        verdict.reason = problem ?? checkRest(request, headers, signature, credential, snapshot, now, &verdict.replay)
        return verdict
    }

    /// Whether the signature is the credential's over this request. One code is computed whatever is wrong.
    private func checkCode(
        _ request: SignedRequest, _ headers: SignedRequest.Headers, _ signature: SignatureHeader, _ credential: CredentialPolicy?,
        _ desk: GateDesk
    ) -> String? {
        var fault: String?
        request.methodName.withUTF8Buffer { method in
            do throws(SignatureFault) {
                try SigningString.build(
                    into: &desk.signingString, method: UnsafeRawBufferPointer(method), target: request.rawTarget,
                    names: signature.names,
                    value: headers)
            } catch {
                fault = "signing string: \(error)"
            }
        }
        let isGood = desk.isCode(signature.mac, ofSigningStringBy: credential, decoy: decoy)
        if let fault { return fault }
        guard credential != nil else { return "unknown key" }
        return isGood ? nil : "wrong signature"
    }

    private func checkRest(
        _ request: SignedRequest, _ headers: SignedRequest.Headers, _ signature: SignatureHeader, _ credential: CredentialPolicy?,
        _ snapshot: PolicySnapshot, _ now: Timestamp, _ replayOutcome: inout ReplayMemory.Outcome
    ) -> String? {
        guard let credential else { return "unknown key" }
        let application = credential.application
        if !isJumpServerPAM(headers) { return "X-Source is not jms-pam" }
        if !credential.isActive { return "credential revoked" }
        if credential.hasExpired(at: now) { return "credential expired" }
        if !application.isActive { return "application inactive" }
        if let organization = header("x-jms-org", headers), !snapshot.header(organization, means: application.organization) {
            return "wrong organization"
        }
        guard let text = header("date", headers), let date = HTTPDate.parse(text) else { return "unreadable date" }
        if abs(subtracting(date, now)) > rules.windowSeconds { return "stale date" }
        if !rules.acceptsBeforeStart, date.seconds < started.seconds { return "dated before the server started" }
        if let fault = request.addressFault { return fault }
        guard let address = request.origin.address else { return "address unknown" }
        if !application.networks.allows(address) { return "address not allowed for the application" }
        if !credential.networks.allows(address) { return "address not allowed for the credential" }
        replayOutcome = replay.check(signature.mac, credential: credential.id, date: date, address: address, now: now)
        switch replayOutcome {
        case .fresh: return nil
        case .repeated: return credential.isStrict ? "repeated signature of a strict credential" : nil
        case .replayed: return "signature replayed from another address"
        case .stale: return "stale date"
        case .full: return "replay memory is full"
        }
    }

    private func isJumpServerPAM(_ headers: SignedRequest.Headers) -> Bool {
        guard let source = header("x-source", headers) else { return false }
        return source.elementsEqual("jms-pam".utf8)
    }

    private func header(_ name: StaticString, _ headers: SignedRequest.Headers) -> UnsafeRawBufferPointer? {
        name.withUTF8Buffer { headers(UnsafeRawBufferPointer($0)) }
    }

    /// Seconds between two moments; both come from bounded forms, but nothing from outside may overflow.
    private func subtracting(_ a: Timestamp, _ b: Timestamp) -> Int64 {
        let (difference, overflow) = a.seconds.subtractingReportingOverflow(b.seconds)
        return overflow || difference == .min ? .max : difference
    }

    private func refuse(
        _ origin: RequestOrigin, _ refusal: Refusal, _ reason: String, signer: CredentialPolicy? = nil,
        claimed: CredentialPolicy? = nil,
        isVerified: Bool = false, _ now: Timestamp
    ) -> Admission {
        // A key that signed nothing is only claimed: the entry names it as an object, not as the actor.
        let credential = signer ?? claimed
        let actor: Actor
        var objects: [AuditObject] = []
        if let signer {
            actor = .application(signer.application.id, name: signer.application.name, credential: signer.id)
        } else {
            actor = .anonymous
            if let claimed {
                objects = [AuditObject(kind: "credential", id: claimed.id.description, name: claimed.application.name)]
            }
        }
        let entry = AuditEntry(
            time: now, actor: actor, address: origin.addressText, organization: credential?.application.organization,
            action: .fetch,
            objects: objects, outcome: .refused, reason: reason, request: origin.request,
            latency: origin.stopwatch.microseconds)
        return .refused(refusal, entry, isVerified: isVerified)
    }
}
