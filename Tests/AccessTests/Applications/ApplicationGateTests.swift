import Access
import Audit
import Cryptography
import Domain
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Application gate")
struct ApplicationGateTests {
    // Unchecked: the desk is used by one test alone, in order.
    final class Door: @unchecked Sendable, AbandonedFetches {
        let house: TestHouse
        let store: PolicyStore
        let gate: ApplicationGate
        let desk: GateDesk
        let dropped = Mutex<[AuditEntry]>([])

        init(
            _ applications: [SampleApplication], rules: ApplicationGate.Rules = .init(), replay: ReplayMemory.Bounds = .init(),
            rates: FetchLimits.Rates = .init(), started: Int64 = -100, house: TestHouse? = nil
        ) async throws {
            let house = try house ?? TestHouse()
            self.house = house
            for application in applications { try application.store(in: house) }
            store = house.policies()
            try await store.reload()
            desk = GateDesk()
            let abandoned = Forward()
            gate = try ApplicationGate(
                rules: rules, replay: ReplayMemory(windowSeconds: rules.windowSeconds, bounds: replay),
                limits: FetchLimits(rates),
                abandoned: abandoned, started: TestHouse.start.adding(seconds: started))
            abandoned.door.withLock { $0 = Unowned(self) }
        }

        func append(_ entry: AuditEntry) { dropped.withLock { $0.append(entry) } }

        /// What comes of a request: the actor who was let in, or the refusal with its entry.
        func knock(_ request: SampleRequest) throws -> Fate {
            let snapshot = try #require(store.snapshot)
            switch gate.admit(request.shown, headers: { request.header(named: $0) }, snapshot: snapshot, at: desk) {
            case .admitted(let permit):
                let entry = permit.granted(objects: WrittenObjects([]), version: 1, at: TestHouse.start).plain
                return Fate(refusal: nil, entry: entry, isVerified: true)
            case .refused(let refusal, let entry, let isVerified):
                return Fate(refusal: refusal, entry: entry, isVerified: isVerified)
            }
        }

        func knock(
            _ signer: Signer, from address: String? = "192.0.2.1", dated: Int64 = 0, at now: Int64 = 0,
            change: (inout [String: String]) -> Void = { _ in }
        ) throws -> Fate {
            var headers = try signer.headers(at: TestHouse.start.adding(seconds: dated))
            change(&headers)
            return try knock(SampleRequest(target: signer.target, headers: headers, origin: house.origin(address, at: now)))
        }

        private final class Forward: AbandonedFetches {
            let door = Mutex<Unowned?>(nil)
            func append(_ entry: AuditEntry) { door.withLock { $0?.value?.append(entry) } }
        }

        private struct Unowned: Sendable {
            weak var value: Door?
            init(_ value: Door) { self.value = value }
        }
    }

    struct Fate {
        let refusal: Refusal?
        let entry: AuditEntry
        let isVerified: Bool

        var reason: String { entry.reason }
        /// Whether it is the one 401 that all failures to authenticate share.
        var isTheOne401: Bool { if case .unauthenticated? = refusal { true } else { false } }
    }

    let sample = SampleApplication()

    @Test("a good request is let in, and its entry names application and credential")
    func good() async throws {
        let door = try await Door([sample])
        let fate = try door.knock(sample.signer)
        #expect(fate.refusal == nil)
        #expect(fate.entry.actor == .application(sample.application.id, name: "ci-1", credential: sample.credential.id))
        #expect(fate.entry.organization == .default)
        #expect(fate.entry.outcome == .granted && fate.entry.address == "192.0.2.1")
    }

    // MARK: - The table of refusals

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let reason: String
        var prepare: @Sendable (inout SampleApplication) -> Void = { _ in }
        var sign: @Sendable (inout Signer) -> Void = { _ in }
        var change: @Sendable (inout [String: String]) -> Void = { _ in }
        var address: String? = "192.0.2.1"
        var dated: Int64 = 0
    }

    static let cases: [Case] = [
        Case(testDescription: "unknown key", reason: "unknown key", sign: { $0.keyID = "72b0b0aa-ad82-4182-a631-ae4865e8ae0e" }),
        Case(testDescription: "key id that is no id", reason: "unknown key", sign: { $0.keyID = "root" }),
        Case(testDescription: "wrong secret", reason: "wrong signature", sign: { $0.secret += "x" }),
        Case(
            testDescription: "another target", reason: "wrong signature",
            sign: {
                $0.names = "date (request-target)"; $0.method = "POST"
            }),
        Case(
            testDescription: "changed date", reason: "wrong signature",
            change: { $0["date"] = HTTPDate.format(TestHouse.start.adding(seconds: 1)) }),
        Case(testDescription: "changed organization", reason: "wrong signature", change: { $0["x-jms-org"] = "Other" }),
        Case(
            testDescription: "not a signature", reason: "malformed authorization: notSignature",
            change: { $0["authorization"] = "Bearer abc" }),
        Case(
            testDescription: "empty authorization", reason: "malformed authorization: notSignature",
            change: { $0["authorization"] = "" }),
        Case(
            testDescription: "date not signed", reason: "malformed authorization: requiredHeaderNotSigned",
            sign: { $0.names = "(request-target) accept" }),
        Case(
            testDescription: "target not signed", reason: "malformed authorization: requiredHeaderNotSigned",
            sign: { $0.names = "date accept" }),
        Case(
            testDescription: "signed header absent", reason: "signing string: signedHeaderMissing", change: { $0["accept"] = nil }
        ),
        Case(
            testDescription: "inactive application", reason: "application inactive", prepare: { $0.application.isActive = false }),
        Case(testDescription: "revoked credential", reason: "credential revoked", prepare: { $0.credential.isActive = false }),
        Case(
            testDescription: "expired credential", reason: "credential expired",
            prepare: { $0.credential.dateExpires = TestHouse.start }),
        Case(testDescription: "61 s old", reason: "stale date", dated: -61),
        Case(testDescription: "61 s ahead", reason: "stale date", dated: 61),
        Case(testDescription: "no X-Source", reason: "X-Source is not jms-pam", sign: { $0.source = nil }),
        Case(testDescription: "wrong X-Source", reason: "X-Source is not jms-pam", sign: { $0.source = "JMS-PAM" }),
        Case(
            testDescription: "another organization", reason: "wrong organization",
            sign: { $0.organization = TestHouse.other.description }),
        Case(testDescription: "another organization by name", reason: "wrong organization", sign: { $0.organization = "Other" }),
        Case(testDescription: "JumpServer's root organization", reason: "wrong organization", sign: { $0.organization = "ROOT" }),
        Case(
            testDescription: "the default organization for an application elsewhere", reason: "wrong organization",
            prepare: { $0 = SampleApplication(in: TestHouse.other) }),
        Case(testDescription: "address of nobody", reason: "address unknown", address: nil),
        Case(testDescription: "wrong address", reason: "address not allowed for the application", address: "198.51.100.1"),
        Case(testDescription: "wrong IPv6 address", reason: "address not allowed for the application", address: "2001:db9::1"),
        Case(
            testDescription: "address refused for the credential", reason: "address not allowed for the credential",
            prepare: { $0.credential.ipGroup = ["192.0.2.2"] }),
        Case(
            testDescription: "no network at all", reason: "address not allowed for the application",
            prepare: { $0.application.ipGroup = [] }),
    ]

    @Test("everything that is wrong is the same 401 outside, with its true reason in the audit", arguments: cases)
    func refused(_ item: Case) async throws {
        var sample = sample
        item.prepare(&sample)
        let door = try await Door([sample])
        var signer = sample.signer
        item.sign(&signer)
        let fate = try door.knock(signer, from: item.address, dated: item.dated, change: item.change)
        #expect(fate.isTheOne401)
        #expect(fate.reason == item.reason)
        #expect(fate.entry.outcome == .refused)
        #expect(!fate.isVerified, "a good signature alone proves nothing for ever")
    }

    @Test("the application of an organization that is switched off is inactive")
    func inactiveOrganization() async throws {
        let house = try TestHouse()
        var organization = TestHouse.organizations[1]
        organization.isActive = false
        try house.store(organization) { _ = try Organizations.update($0, on: $1) }
        let door = try await Door([sample], house: house)
        #expect(try door.knock(sample.signer).reason == "application inactive")
    }

    @Test("no credentials are the other 401")
    func noCredentials() async throws {
        let door = try await Door([sample])
        let fate = try door.knock(sample.signer) { $0["authorization"] = nil }
        #expect(fate.refusal == .noCredentials)
    }

    @Test("an address that the proxies do not tell is refused by that name")
    func addressFault() async throws {
        let door = try await Door([sample])
        let request = SampleRequest(
            target: sample.signer.target, headers: try sample.signer.headers(at: TestHouse.start), origin: door.house.origin(nil),
            addressFault: "client address: missing")
        let fate = try door.knock(request)
        #expect(fate.isTheOne401 && fate.reason == "client address: missing")
    }

    @Test("a key that signed nothing is named as an object, and never as the actor")
    func claimed() async throws {
        let door = try await Door([sample])
        var signer = sample.signer
        signer.secret = "wrong"
        let claimed = try door.knock(signer)
        #expect(claimed.entry.actor == .anonymous)
        #expect(claimed.entry.objects == [AuditObject(kind: "credential", id: sample.credential.id.description, name: "ci-1")])
        let stale = try door.knock(sample.signer, dated: -100)
        #expect(stale.entry.actor.kind == "application")
    }

    @Test(
        "every organization header that means the application's is fine, signed or not",
        arguments: [
            nil, "", "Default", "default", "DEFAULT", "00000000-0000-0000-0000-000000000002",
        ])
    func organizationHeader(value: String?) async throws {
        let door = try await Door([sample])
        var signer = sample.signer
        signer.names = "(request-target) date"
        signer.organization = value
        #expect(try door.knock(signer).refusal == nil)
    }

    @Test("dates up to the edge of the window pass", arguments: [-60, -59, 0, 60] as [Int64])
    func edges(dated: Int64) async throws {
        let door = try await Door([sample])
        #expect(try door.knock(sample.signer, dated: dated).refusal == nil)
    }

    @Test("what was dated before the start is refused unless configured")
    func beforeStart() async throws {
        let strict = try await Door([sample], started: 0)
        #expect(try strict.knock(sample.signer, dated: -1).reason == "dated before the server started")
        #expect(try strict.knock(sample.signer, dated: 0).refusal == nil)
        let lax = try await Door([sample], rules: .init(acceptsBeforeStart: true), started: 0)
        #expect(try lax.knock(sample.signer, dated: -1).refusal == nil)
    }

    // MARK: - Replay and limits

    @Test("the same request again passes from the same address, never from another; a strict credential takes it once")
    func replay() async throws {
        var strict = SampleApplication(2)
        strict.credential.isStrict = true
        let door = try await Door([sample, strict])
        #expect(try door.knock(sample.signer).refusal == nil)
        #expect(try door.knock(sample.signer).refusal == nil)
        let stolen = try door.knock(sample.signer, from: "192.0.2.9")
        #expect(stolen.isTheOne401 && stolen.reason == "signature replayed from another address" && !stolen.isVerified)
        #expect(try door.knock(strict.signer).refusal == nil)
        #expect(try door.knock(strict.signer).reason == "repeated signature of a strict credential")
    }

    @Test("what was refused is not remembered: the honest request passes afterwards")
    func refusedIsNotRemembered() async throws {
        let door = try await Door([sample])
        #expect(try door.knock(sample.signer, from: "198.51.100.1").isTheOne401)
        #expect(try door.knock(sample.signer).refusal == nil)
    }

    @Test("with the memory full a new signature is 429, and known ones go on")
    func memoryFull() async throws {
        let door = try await Door([sample], replay: .init(entriesPerCredential: 2, entriesInAll: 100))
        #expect(try door.knock(sample.signer, dated: 0).refusal == nil)
        #expect(try door.knock(sample.signer, dated: 1).refusal == nil)
        let full = try door.knock(sample.signer, dated: 2)
        #expect(full.refusal == .tooMany(retryAfterSeconds: 60) && full.reason == "replay memory is full")
        #expect(try door.knock(sample.signer, dated: 1).refusal == nil)
        #expect(try door.knock(sample.signer, from: "192.0.2.9", dated: 1).isTheOne401)
    }

    @Test("credentials that fell silent do not keep the others out")
    func silentCredentials() async throws {
        let others = (2...5).map { SampleApplication($0) }
        let door = try await Door([sample] + others, replay: .init(entriesPerCredential: 100, entriesInAll: 4))
        for other in others { #expect(try door.knock(other.signer).refusal == nil) }
        #expect(try door.knock(sample.signer).refusal == .tooMany(retryAfterSeconds: 60))
        #expect(try door.knock(sample.signer, dated: 200, at: 200).refusal == nil)
    }

    @Test("beyond its rate an application gets 429 with the wait, and another one does not")
    func rate() async throws {
        var limited = SampleApplication(2)
        limited.application.rateLimit = 2
        let door = try await Door([sample, limited])
        for dated in 0..<2 as Range<Int64> { #expect(try door.knock(limited.signer, dated: dated).refusal == nil) }
        let fate = try door.knock(limited.signer, dated: 2)
        #expect(fate.refusal == .tooMany(retryAfterSeconds: 60) && fate.reason == "rate limit" && fate.isVerified)
        #expect(try door.knock(sample.signer).refusal == nil)
        #expect(try door.knock(limited.signer, dated: 60, at: 60).refusal == nil)
    }

    @Test("bad signatures are throttled by address, and a good one passes from there all the same")
    func throttle() async throws {
        let door = try await Door([sample])
        var bad = sample.signer
        bad.secret = "wrong"
        for _ in 0..<120 { #expect(try door.knock(bad).isTheOne401) }
        guard case .tooMany? = try door.knock(bad).refusal else { return #expect(Bool(false), "not throttled") }
        #expect(try door.knock(sample.signer).refusal == nil)
        #expect(try door.knock(bad, from: "192.0.2.7").isTheOne401)
    }

    @Test("the work for an unknown key is the work for a known one: a code of the same length")
    func sameWork() async throws {
        let door = try await Door([sample])
        var unknown = sample.signer
        unknown.keyID = "72b0b0aa-ad82-4182-a631-ae4865e8ae0e"
        var wrong = sample.signer
        wrong.secret = "wrong"
        func time(_ signer: Signer) throws -> Duration {
            let request = SampleRequest(
                target: signer.target, headers: try signer.headers(at: TestHouse.start), origin: door.house.origin("192.0.2.1"))
            return try ThreadTime.measure { for _ in 0..<300 { _ = try door.knock(request) } }
        }
        // The best of several runs each: only a difference of kind would show, such as a code left out.
        let pairs = try (0..<7).map { _ in (try time(unknown), try time(wrong)) }
        let (a, b) = (pairs.map(\.0).min() ?? .zero, pairs.map(\.1).min() ?? .zero)
        #expect(a < b * 2 && b < a * 2, "\(a) \(b)")
    }

    @Test("a permit that is dropped is recorded as abandoned, and one that was settled is not")
    func abandoned() async throws {
        let door = try await Door([sample])
        let snapshot = try #require(door.store.snapshot)
        let request = SampleRequest(
            target: sample.signer.target, headers: try sample.signer.headers(at: TestHouse.start), origin: door.house.origin())
        _ = door.gate.admit(request.shown, headers: { request.header(named: $0) }, snapshot: snapshot, at: door.desk)
        #expect(door.dropped.withLock { $0.map(\.outcome) } == [.abandoned])
        _ = try door.knock(sample.signer)
        #expect(door.dropped.withLock { $0.count } == 1)
    }

    // MARK: - Vectors

    @Test(
        "the published samples' requests pass with their own signatures",
        arguments: [
            (
                "(request-target) accept date x-jms-org", SignatureVectorTests.integrations + "?asset=ubuntu_docker&account=root",
                "DZkRFOLCvMqECWO5BhT0AVTFK1i6n85yA1Bioi7X5To=", "00000000-0000-0000-0000-000000000002"
            ),
            (
                "(request-target) accept date x-jms-org", SignatureVectorTests.integrations + "?account=root&asset=ubuntu_docker",
                "G/0ktRccpw8ust2dKduoBeleelg/doDqKBFr7Orzj8c=", "00000000-0000-0000-0000-000000000002"
            ),
            (
                "(request-target) accept date", SignatureVectorTests.services + "?asset=ubuntu_docker&account=root&method=get",
                "FkgD1SojDs5X0bG+1VHAJm5n2Oz22P37wxh8OuJHGjI=", "00000000-0000-0000-0000-000000000002"
            ),
            (
                "(request-target) date", SignatureVectorTests.services + "?account=root&asset=ubuntu_docker",
                "9mTLz3QtAMgspnpUbMTEvwu2oCmrMKC+eh0+GxitJ7g=", nil
            ),
        ] as [(String, String, String, String?)])
    func vectors(names: String, target: String, signature: String, organization: String?) async throws {
        let date = "Fri, 20 Nov 2026 21:24:38 GMT"
        let moment = try #require(HTTPDate.parse(date))
        let door = try await Door([sample], started: moment.seconds - TestHouse.start.seconds - 10)
        let id = sample.credential.id.description
        func headers(_ order: [String]) -> [String: String] {
            var headers = [
                "accept": "application/json", "date": date, "x-source": "jms-pam",
                "authorization": "Signature " + order.joined(separator: ","),
            ]
            headers["x-jms-org"] = organization
            return headers
        }
        let parameters = [
            #"keyId="\#(id)""#, #"algorithm="hmac-sha256""#, #"headers="\#(names)""#, #"signature="\#(signature)""#,
        ]
        for order in [parameters, parameters.reversed(), [parameters[0], parameters[1], parameters[3], parameters[2]]] {
            let origin = RequestOrigin(request: .random(), address: IPAddress("192.0.2.1"), received: moment)
            #expect(try door.knock(SampleRequest(target: target, headers: headers(order), origin: origin)).refusal == nil)
        }
    }

    @Test("whatever comes as Authorization, the gate refuses it and goes on")
    func fuzz() async throws {
        let door = try await Door([sample])
        let good = try sample.signer.headers(at: TestHouse.start)
        var fuzzer = Fuzzer(
            seed: 11, samples: [good["authorization"] ?? "", "Signature keyId=\"\",headers=\"(request-target) date\""])
        for _ in 0..<Fuzzer.rounds(2_000) {
            let text = String(decoding: fuzzer.next(), as: UTF8.self)
            let fate = try door.knock(sample.signer) { $0["authorization"] = text }
            if fate.refusal == nil { #expect(text.contains(String((good["authorization"] ?? "").suffix(30).prefix(20)))) }
        }
    }
}
