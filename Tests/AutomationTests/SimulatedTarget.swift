import Connectors
import Cryptography
import Domain
import Glibc
import Synchronization

/// A model of a target, in this process: it can lose replies, apply late, lie, refuse by policy, lock and let in anybody. It is there to
/// drive turns through every kind of doubt; real targets are tested with the connectors and end to end.
final class SimulatedTarget: Connector {
    enum Trick: Sendable, Equatable {
        /// Applied, and the reply is lost.
        case appliedThenCut
        /// Lost on the way there.
        case cutBefore
        /// Lands when `land` is called.
        case late
        /// Says yes and does nothing.
        case lie
        case unreachable
        case quality
        case minimumAge(until: Timestamp)
    }

    struct State: Sendable {
        var system = TargetIdentity.System.database(kind: "simulated", identifier: "S1")
        var live: [String: [UInt8]] = [:]
        var systemAccounts: Set<String> = []
        var late: [(String, [UInt8])] = []
        var lateRemovals: [String] = []
        /// What happens to the next installs, in order.
        var tricks: [Trick] = []
        /// What happens to the next removals, in order.
        var removals: [Trick] = []
        var removalCount = 0
        /// What is said to be left of an account that was removed.
        var remains: String?
        /// Who is not found, and may be there all the same.
        var silent: Set<String> = []
        /// How often an account was made anew under its name: what marks tell apart.
        var births: [String: Int] = [:]
        /// The gateway's own password; nil: it lets in anybody.
        var gatewaySecret: [UInt8]?
        /// Done when somebody is at the gateway's door, before it answers.
        var atGateway: (@Sendable () -> Void)?
        /// Done when a worker comes to a host, before anything else.
        var atHost: (@Sendable (Target) -> Void)?
        /// Done when a worker is at the door, before it answers.
        var atWorker: (@Sendable () -> Void)?
        var gatewayLogins = 0
        var gatewayRejections = 0
        /// How long a worker's login takes, and how many there were at the same time.
        var slowness: UInt32 = 0
        var atOnce = 0
        var mostAtOnce = 0
        /// What happens to the next logins; nil is a plain one.
        var logins: [Result<Verdict, ConnectorFault>?] = []
        var canCompare = true
        /// Switched off; a login of theirs is called wrong.
        var locked: Set<String> = []
        var preparations = 0
        var letsInAnybody = false
        /// A proof needs a wrong login that is seen refused.
        var controls = false
        /// An account is a name at a host, as MariaDB has it: `live` has `name@host`.
        var isHosted = false
        var lies = false
        var workerFault: ConnectorFault?
        var locksWorkerAfterInstall = false
        var rejected: [String: Int] = [:]
        var workerLogins = 0
        /// The gateways of all logins, in order; nil for the direct way.
        var ways: [AssetID?] = []
        var installs = 0
        var retired: [String] = []
        var events: [String] = []
    }

    let name = "simulated"
    let platformTypes: Set<String> = ["postgresql"]
    let protocolNames = ["postgresql", "ssh"]
    let secretTypes: Set<SecretType> = [.password]
    private let state: Mutex<State>

    init(_ state: State = State()) { self.state = Mutex(state) }

    func with<Value>(_ body: (inout sending State) -> sending Value) -> Value { state.withLock { body(&$0) } }

    var snapshot: State { state.withLock { $0 } }

    /// What is late arrives.
    func land() {
        state.withLock { state in
            for (user, bytes) in state.late { state.live[user] = bytes }
            state.late = []
            for user in state.lateRemovals { state.live[user] = nil }
            state.lateRemovals = []
        }
    }

    /// The login at the gateway, which whoever counts them allows or not.
    private func passGateway(_ target: Target) throws(ConnectorFault) {
        guard let gateway = target.gateway else { return }
        switch gateway.credential.admission.begin() {
        case .granted: break
        case .spent: throw ConnectorFault(.gatewayLoginsSpent, effect: .none)
        case .notNow(let words): throw ConnectorFault(.unreachable, effect: .none, words: words)
        }
        snapshot.atGateway?()
        let given = gateway.credential.withSecret { $0.withBytes { Array($0) } }
        let isIn = state.withLock { state in
            state.gatewayLogins += 1
            guard let secret = state.gatewaySecret, secret != given else { return true }
            state.gatewayRejections += 1
            return false
        }
        gateway.credential.admission.end(isIn ? .accepted : .rejected)
        guard isIn else { throw ConnectorFault(.unreachable, effect: .none, words: "gateway: rejected") }
    }

    /// Takes the time that a login takes here.
    private func takeTime() {
        let slowness = state.withLock { state in
            state.atOnce += 1
            state.mostAtOnce = max(state.mostAtOnce, state.atOnce)
            return state.slowness
        }
        if slowness > 0 { usleep(slowness) }
        state.withLock { $0.atOnce -= 1 }
    }

    fileprivate func remove(_ user: String) throws(ConnectorFault) {
        let fault = state.withLock { state -> ConnectorFault? in
            state.removalCount += 1
            switch state.removals.isEmpty ? nil : state.removals.removeFirst() {
            case .appliedThenCut:
                state.live[user] = nil
                return ConnectorFault(.cut, effect: .unknown)
            case .cutBefore: return ConnectorFault(.cut, effect: .unknown)
            case .late:
                state.lateRemovals.append(user)
                return ConnectorFault(.timedOut, effect: .unknown)
            case .lie: return nil
            case .unreachable: return ConnectorFault(.unreachable, effect: .none)
            case .quality, .minimumAge: return ConnectorFault(.notPermitted, effect: .none, words: "in use")
            case nil:
                guard state.live[user] != nil else { return ConnectorFault(.noSuchAccount, effect: .none) }
                state.live[user] = nil
                return nil
            }
        }
        if let fault { throw fault }
    }

    func open(_ target: Target, as worker: Worker) throws(ConnectorFault) -> any WorkSession {
        try passGateway(target)
        snapshot.atHost?(target)
        takeTime()
        return try worker.credential.admission.around({ $0 }) { () throws(ConnectorFault) in try logIn(worker.credential, target)
        }
    }

    private func logIn(_ credential: TargetLogin, _ target: Target) throws(ConnectorFault) -> any WorkSession {
        snapshot.atWorker?()
        let name = credential.username
        let given = credential.withSecret { $0.withBytes { Array($0) } }
        let (fault, canCompare, system) = state.withLock { state -> (ConnectorFault?, Bool, TargetIdentity.System) in
            state.workerLogins += 1
            state.ways.append(target.gateway?.asset)
            if let fault = state.workerFault { return (fault, false, state.system) }
            guard state.live[name] == given else {
                state.rejected[name, default: 0] += 1
                return (ConnectorFault(.loginRejected, effect: .none), false, state.system)
            }
            return (nil, state.canCompare, state.system)
        }
        if let fault { throw fault }
        return canCompare ? ReadingSession(self, system, name) : SimulatedSession(self, system, name)
    }

    func verify(_ credential: TargetLogin, on target: Target, by plan: VerificationPlan) throws(ConnectorFault)
        -> Verdict
    {
        try passGateway(target)
        let given = credential.withSecret { $0.withBytes { Array($0) } }
        let (result, controls) = state.withLock { state -> (Result<Verdict, ConnectorFault>, Bool) in
            state.ways.append(target.gateway?.asset)
            return (Self.login(&state, credential.username, given), state.controls)
        }
        guard controls, try result.get() == .proven, !target.wasSeenRefusing else { return try result.get() }
        guard target.mayGuess() else {
            return .unverifiable(words: "no wrong login may be tried now")
        }
        with { $0.rejected[credential.username, default: 0] += 1 }
        return .proven
    }

    private static func login(_ state: inout State, _ username: String, _ given: [UInt8]) -> Result<Verdict, ConnectorFault> {
        if !state.logins.isEmpty, let next = state.logins.removeFirst() { return next }
        if state.letsInAnybody { return .success(.unverifiable(words: "lets in anybody")) }
        if state.locked.contains(username) { return .success(.rejected(words: "password authentication failed")) }
        let isHosted = state.isHosted
        let values = state.live.filter { $0.key == username || isHosted && $0.key.hasPrefix(username + "@") }.map(\.value)
        if values.contains(given) { return .success(.proven) }
        state.rejected[username, default: 0] += 1
        return .success(.rejected(words: "password authentication failed"))
    }

    fileprivate func install(_ user: String, _ secret: borrowing Secret, creates: Bool = false) throws(ConnectorFault) {
        let bytes = secret.withBytes { Array($0) }
        let fault = state.withLock { state -> ConnectorFault? in
            state.installs += 1
            if state.locksWorkerAfterInstall { state.workerFault = ConnectorFault(.lockedOut, effect: .none) }
            let trick = state.tricks.isEmpty ? (state.lies ? Trick.lie : nil) : state.tricks.removeFirst()
            switch trick {
            case .appliedThenCut:
                state.live[user] = bytes
                return ConnectorFault(.cut, effect: .unknown)
            case .cutBefore: return ConnectorFault(.cut, effect: .unknown)
            case .late:
                state.late.append((user, bytes))
                return ConnectorFault(.timedOut, effect: .unknown)
            case .lie: return nil
            case .unreachable: return ConnectorFault(.unreachable, effect: .none)
            case .quality:
                return ConnectorFault(.refusedByPolicy(PolicyRefusal(kind: .quality, words: "too simple")), effect: .none)
            case .minimumAge(let until):
                return ConnectorFault(
                    .refusedByPolicy(PolicyRefusal(kind: .minimumAge, until: until, words: "must wait")), effect: .none)
            case nil:
                guard creates || state.live[user] != nil else { return ConnectorFault(.noSuchAccount, effect: .none) }
                state.live[user] = bytes
                return nil
            }
        }
        if let fault { throw fault }
    }
}

/// A worker's login that cannot read anything back.
class SimulatedSession: SecretChanging, AccountPushing, AccountRemoving, @unchecked Sendable {
    // Immutable; unchecked only since it has a subclass.
    let target: SimulatedTarget
    let system: TargetIdentity.System
    let workerName: String
    var hostKey: String? { nil }

    init(_ target: SimulatedTarget, _ system: TargetIdentity.System, _ workerName: String) {
        self.target = target
        self.system = system
        self.workerName = workerName
    }

    func find(_ username: String) throws(ConnectorFault) -> RemoteAccount? { try find(username, parameters: [:]) }

    func find(_ username: String, parameters: [String: String]) throws(ConnectorFault) -> RemoteAccount? {
        let (state, key) = (target.snapshot, key(username, parameters))
        guard state.live[key] != nil else { return nil }
        return RemoteAccount(
            username: username, identity: key, isSystem: state.systemAccounts.contains(username),
            isLocked: state.locked.contains(username))
    }

    fileprivate func key(_ username: String, _ parameters: [String: String]) -> String {
        target.snapshot.isHosted ? username + "@" + (parameters["account_host"] ?? "%") : username
    }

    func prepare(_ request: ChangeRequest) throws(ConnectorFault) { target.with { $0.preparations += 1 } }

    func install(_ request: ChangeRequest, secret: borrowing Secret) throws(ConnectorFault) {
        try target.install(key(request.username, request.parameters), secret)
    }

    func retire(_ request: ChangeRequest, keeping secret: borrowing Secret, old: borrowing Secret?) throws(ConnectorFault) {
        target.with { $0.retired.append(request.username) }
    }

    func create(_ push: AccountPush, secret: borrowing Secret) throws(ConnectorFault) {
        try target.install(key(push.username, push.parameters), secret, creates: true)
    }

    func update(_ push: AccountPush) throws(ConnectorFault) { target.with { $0.events.append("update \(push.username)") } }

    func mark(_ username: String, parameters: [String: String]) throws(ConnectorFault) -> String {
        let (state, key) = (target.snapshot, key(username, parameters))
        guard state.live[key] != nil else { throw ConnectorFault(.noSuchAccount, effect: .none) }
        return "born \(state.births[key] ?? 0)"
    }

    func remove(_ removal: AccountRemoval) throws(ConnectorFault) {
        let key = key(removal.username, removal.parameters)
        guard target.snapshot.live[key] != nil else { throw ConnectorFault(.noSuchAccount, effect: .none) }
        guard try mark(removal.username, parameters: removal.parameters) == removal.mark else {
            throw ConnectorFault(.replaced, effect: .none)
        }
        try target.remove(key)
    }

    func confirmAbsence(of username: String, parameters: [String: String], mark: String?) throws(ConnectorFault) {
        guard target.snapshot.silent.contains(username) else { return }
        throw ConnectorFault(mark == nil ? .unsupported : .brokenProtocol, effect: .none, words: "nobody says so")
    }

    func remains(of removal: AccountRemoval) throws(ConnectorFault) -> String? { target.snapshot.remains }

    func close() {}
}

/// A worker's login that can read verifiers back.
final class ReadingSession: SimulatedSession, VerifierReading, @unchecked Sendable {
    func compare(_ request: ChangeRequest, with secret: borrowing Secret) throws(ConnectorFault) -> StoredMatch {
        let bytes = secret.withBytes { Array($0) }
        return target.snapshot.live[key(request.username, request.parameters)] == bytes ? .same : .different
    }
}
