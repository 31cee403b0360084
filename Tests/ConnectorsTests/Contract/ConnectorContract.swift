import Connectors
import Cryptography
import Domain
import Glibc
import Synchronization
import TestSupport
import Testing

/// What every connector keeps, on a real target.
@Suite("Connector contract", .serialized)
struct ConnectorContract {
    /// A session's abilities, asked for where the contract needs them.
    private typealias Turning = SecretChanging & AccountPushing

    private static func open(_ fixture: any ConnectorFixture) throws -> any Turning {
        try #require(try fixture.connector.open(fixture.target, as: fixture.worker) as? any Turning)
    }

    private static func verify(_ fixture: any ConnectorFixture, _ name: String, _ secret: String) throws -> Verdict {
        try fixture.connector.verify(fixture.credential(name, secret), on: fixture.target, by: .direct)
    }

    /// A name that no other test uses.
    private static func fresh(_ purpose: String) -> String { "c\(UInt32.random(in: 0 ... .max))_\(purpose)" }

    /// An account with a secret, made by the connector.
    private static func make(_ fixture: any ConnectorFixture, _ name: String, _ secret: String) throws {
        let session = try open(fixture)
        defer { session.close() }
        try session.create(AccountPush(request: fixture.request(name)), secret: Secret.of(secret))
    }

    private static func isRejected(_ verdict: Verdict) -> Bool {
        if case .rejected = verdict { true } else { false }
    }

    @Test("a system and the worker have the same name at every login", arguments: ContractPlatform.allCases)
    func identity(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        try await onOwnThread {
            let one = try Self.open(fixture)
            let two = try Self.open(fixture)
            #expect(one.system == two.system)
            #expect(one.workerName == two.workerName)
            let worker = fixture.worker.credential.username
            #expect(one.workerName.contains(worker))
            one.close()
            two.close()
        }
    }

    @Test(
        "each login of a worker is asked for before it is made and its end is told, and without leave there is none",
        arguments: ContractPlatform.allCases)
    func admission(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        try await onOwnThread {
            let ends = Mutex<[Admission.End]>([])
            func open(_ answer: Admission.Answer, wrong: String? = nil) throws -> any WorkSession {
                let known = fixture.worker.credential
                let admission = Admission(begin: { answer }, end: { end in ends.withLock { $0.append(end) } })
                let login = known.withSecret { secret in
                    TargetLogin(
                        username: known.username, secretType: known.secretType,
                        secret: wrong.map { Secret.of($0) } ?? secret.duplicate(), admission: admission)
                }
                return try fixture.connector.open(fixture.target, as: Worker(credential: login, power: fixture.worker.power))
            }
            try open(.granted).close()
            #expect(ends.withLock { $0 } == [.accepted])
            for (answer, kind) in [
                (Admission.Answer.spent(words: "spent"), ConnectorFault.Kind.loginsSpent), (.notNow(words: "busy"), .unreachable),
            ] {
                let fault = #expect(throws: ConnectorFault.self) { try open(answer) }
                #expect(fault?.kind == kind && fault?.effect == ConnectorFault.Effect.none)
            }
            #expect(ends.withLock { $0 } == [.accepted])
            guard fixture.worker.credential.secretType == .password else { return }
            let fault = #expect(throws: ConnectorFault.self) { try open(.granted, wrong: "Never-the-secret-1!") }
            #expect(fault?.kind == .loginRejected && ends.withLock { $0 } == [.accepted, .rejected])
        }
    }

    @Test("an account that is made is found and proves its secret, and no other secret", arguments: ContractPlatform.allCases)
    func create(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        try await onOwnThread {
            let name = Self.fresh("made")
            let session = try Self.open(fixture)
            #expect(try session.find(name) == nil)
            try session.create(AccountPush(request: fixture.request(name)), secret: Secret.of("First-secret-1!"))
            let found = try session.find(name)
            #expect(found?.isSystem == false)
            #expect(found?.isLocked == false)
            #expect(try Self.verify(fixture, name, "First-secret-1!") == .proven)
            #expect(Self.isRejected(try Self.verify(fixture, name, "First-secret-2!")))
            #expect(throws: ConnectorFault.self) {
                try session.create(AccountPush(request: fixture.request(name)), secret: Secret.of("Another-one-3!"))
            }
            #expect(try Self.verify(fixture, name, "First-secret-1!") == .proven)
            session.close()
        }
    }

    @Test(
        "a secret that is installed twice is installed once, and the old one goes at the latest when it is retired",
        arguments: ContractPlatform.allCases)
    func change(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        try await onOwnThread {
            let name = Self.fresh("changed")
            try Self.make(fixture, name, "Old-secret-1!")
            let session = try Self.open(fixture)
            defer { session.close() }
            let request = fixture.request(name)
            try session.prepare(request)
            #expect(try Self.verify(fixture, name, "Old-secret-1!") == .proven)
            try session.install(request, secret: Secret.of("New-secret-2!"))
            try session.install(request, secret: Secret.of("New-secret-2!"))
            #expect(try Self.verify(fixture, name, "New-secret-2!") == .proven)
            let old: Secret? = Secret.of("Old-secret-1!")
            try session.retire(request, keeping: Secret.of("New-secret-2!"), old: old)
            #expect(try Self.verify(fixture, name, "New-secret-2!") == .proven)
            #expect(Self.isRejected(try Self.verify(fixture, name, "Old-secret-1!")))
            try session.retire(request, keeping: Secret.of("New-secret-2!"), old: nil)
            #expect(try Self.verify(fixture, name, "New-secret-2!") == .proven)
        }
    }

    @Test("what is stored tells the live secret from others, at no login", arguments: ContractPlatform.allCases)
    func compare(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        try await onOwnThread {
            let name = Self.fresh("read")
            try Self.make(fixture, name, "Read-secret-1!")
            let session = try Self.open(fixture)
            defer { session.close() }
            let reading = try #require(session as? any VerifierReading)
            let request = fixture.request(name)
            #expect(try reading.compare(request, with: Secret.of("Read-secret-1!")) == .same)
            #expect(try reading.compare(request, with: Secret.of("Read-secret-2!")) == .different)
            try session.install(request, secret: Secret.of("Read-secret-2!"))
            #expect(try reading.compare(request, with: Secret.of("Read-secret-2!")) == .same)
        }
    }

    @Test("only the named account changes, whatever the names and secrets are", arguments: ContractPlatform.allCases)
    func hostile(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        let bystander = Self.fresh("bystander")
        try await onOwnThread { try Self.make(fixture, bystander, "Bystander-1!") }
        for (index, name) in fixture.hostileNames.enumerated() {
            let secret = fixture.hostileSecrets[index % fixture.hostileSecrets.count]
            try await onOwnThread { try Self.make(fixture, name, "Hostile-first-1!") }
            let before = try await fixture.verifiers()
            #expect(before[name] != nil, "\(name)")
            try await onOwnThread {
                let session = try Self.open(fixture)
                defer { session.close() }
                try session.install(fixture.request(name), secret: Secret.of(secret))
                try session.retire(fixture.request(name), keeping: Secret.of(secret), old: Secret?.some(.of("Hostile-first-1!")))
                #expect(try Self.verify(fixture, name, secret) == .proven, "\(name) \(secret)")
                #expect(try session.find(name) != nil)
            }
            let after = try await fixture.verifiers()
            #expect(after.keys == before.keys)
            #expect(before.filter { after[$0.key] != $0.value }.map(\.key) == [name])
            try await onOwnThread {
                let session = try #require(try fixture.connector.open(fixture.target, as: fixture.worker) as? any AccountRemoving)
                try session.remove(name, parameters: fixture.parameters)
                #expect(try session.find(name) == nil)
                session.close()
            }
            let left = try await fixture.verifiers()
            #expect(left == after.filter { $0.key != name })
        }
    }

    @Test("every secret that is hostile to a quoting function is set as it is", arguments: ContractPlatform.allCases)
    func hostileSecrets(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        try await onOwnThread {
            let name = Self.fresh("secrets")
            try Self.make(fixture, name, "Hostile-first-1!")
            let session = try Self.open(fixture)
            defer { session.close() }
            var old = "Hostile-first-1!"
            for secret in fixture.hostileSecrets {
                try session.install(fixture.request(name), secret: Secret.of(secret))
                try session.retire(fixture.request(name), keeping: Secret.of(secret), old: Secret?.some(.of(old)))
                #expect(try Self.verify(fixture, name, secret) == .proven, "\(secret)")
                #expect(Self.isRejected(try Self.verify(fixture, name, old)), "\(old)")
                old = secret
            }
        }
    }

    @Test("a name that cannot be is refused before anything is changed", arguments: ContractPlatform.allCases)
    func impossible(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        let before = try await fixture.verifiers()
        try await onOwnThread {
            let session = try Self.open(fixture)
            defer { session.close() }
            for name in fixture.impossibleNames + [Self.fresh("absent")] {
                var fault = #expect(throws: ConnectorFault.self, "\(name)") { try session.prepare(fixture.request(name)) }
                #expect(fault?.effect == ConnectorFault.Effect.none)
                fault = #expect(throws: ConnectorFault.self, "\(name)") {
                    try session.install(fixture.request(name), secret: Secret.of("Never-set-1!"))
                }
                #expect(fault?.effect == ConnectorFault.Effect.none, "\(name)")
            }
        }
        #expect(try await fixture.verifiers() == before)
    }

    @Test("a secret that the target cannot hold is refused before anything is changed", arguments: ContractPlatform.allCases)
    func impossibleSecret(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        try await onOwnThread {
            let name = Self.fresh("nul")
            try Self.make(fixture, name, "Kept-secret-1!")
            let session = try Self.open(fixture)
            defer { session.close() }
            for secret in ["", "a\0b"] {
                let fault = #expect(throws: ConnectorFault.self) {
                    try session.install(fixture.request(name), secret: Secret.of(secret))
                }
                #expect(fault?.effect == ConnectorFault.Effect.none)
            }
            #expect(try Self.verify(fixture, name, "Kept-secret-1!") == .proven)
        }
    }

    @Test("the worker and accounts of the system are not removed", arguments: ContractPlatform.allCases)
    func forbidden(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        try await onOwnThread {
            let session = try #require(try fixture.connector.open(fixture.target, as: fixture.worker) as? any AccountRemoving)
            defer { session.close() }
            let fault = #expect(throws: ConnectorFault.self) {
                try session.remove(fixture.worker.credential.username, parameters: fixture.parameters)
            }
            #expect(fault?.kind == .forbidden)
            #expect(fault?.effect == ConnectorFault.Effect.none)
        }
    }

    @Test(
        "an account that was made anew since it was marked is not removed, and one that is the same is",
        arguments: ContractPlatform.allCases)
    func replaced(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        try await onOwnThread {
            let name = Self.fresh("anew")
            try Self.make(fixture, name, "Marked-secret-1!")
            let session = try #require(
                try fixture.connector.open(fixture.target, as: fixture.worker) as? any Turning & AccountRemoving)
            defer { session.close() }
            let mark = try session.mark(name, parameters: fixture.parameters)
            #expect(try session.mark(name, parameters: fixture.parameters) == mark)
            let removal = AccountRemoval(username: name, parameters: fixture.parameters, mark: mark)
            try session.remove(removal)
            let gone = #expect(throws: ConnectorFault.self) { try session.remove(removal) }
            #expect(gone?.kind == .noSuchAccount && gone?.effect == ConnectorFault.Effect.none)
            // MariaDB tells them apart by the second.
            usleep(1_100_000)
            try fixture.makeAnew(name, session)
            let fault = #expect(throws: ConnectorFault.self) { try session.remove(removal) }
            #expect(fault?.kind == .replaced && fault?.effect == ConnectorFault.Effect.none)
            #expect(try session.find(name) != nil)
            try session.remove(name, parameters: fixture.parameters)
            #expect(try session.find(name) == nil)
        }
    }

    @Test(
        "a worker with a wrong secret, and a target that is not there, change nothing and say why",
        arguments: ContractPlatform.allCases)
    func noEntry(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        let port = Int(try FreePort.any())
        try await onOwnThread {
            let name = fixture.worker.credential.username
            let wrong = Worker(credential: fixture.credential(name, "Wrong-worker-secret-7!"))
            var fault = #expect(throws: ConnectorFault.self) { _ = try fixture.connector.open(fixture.target, as: wrong) }
            #expect(fault?.kind == .loginRejected)
            #expect(fault?.effect == ConnectorFault.Effect.none)
            #expect(fault?.words.contains("Wrong-worker-secret-7!") == false)
            let target = fixture.target
            let nowhere = Target(
                asset: target.asset, type: target.type, address: target.address, port: port, specific: target.specific,
                stepLimit: .seconds(30))
            fault = #expect(throws: ConnectorFault.self) { _ = try fixture.connector.open(nowhere, as: fixture.worker) }
            #expect(fault?.kind == .unreachable)
            #expect(fault?.effect == ConnectorFault.Effect.none)
            fault = #expect(throws: ConnectorFault.self) {
                _ = try fixture.connector.verify(fixture.credential(name, "x"), on: nowhere, by: .direct)
            }
            #expect(fault?.kind == .unreachable)
        }
    }

    @Test("a session that is closed changes nothing", arguments: ContractPlatform.allCases)
    func closed(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        try await onOwnThread {
            let name = Self.fresh("closed")
            try Self.make(fixture, name, "Kept-secret-1!")
            let session = try Self.open(fixture)
            session.close()
            let fault = #expect(throws: ConnectorFault.self) {
                try session.install(fixture.request(name), secret: Secret.of("Never-set-1!"))
            }
            #expect(fault?.effect == ConnectorFault.Effect.none)
            #expect(try Self.verify(fixture, name, "Kept-secret-1!") == .proven)
        }
    }

    @Test(
        "through a gateway everything is as it is without one", .enabled(if: TestHost.obstacle == nil, "needs a host of its own"),
        arguments: ContractPlatform.allCases)
    func gateway(_ platform: ContractPlatform) async throws {
        let fixture = try await platform.fixture()
        let host = try await TestHost.start(users: [.init("jump", password: "Jump-secret-1!")])
        let gateway = Gateway(
            asset: .random(), address: "127.0.0.1", port: host.port,
            hostKeys: HostKeyPin(policy: .strict, fingerprints: [host.hostKey]),
            credential: fixture.credential("jump", "Jump-secret-1!"))
        let closed = Int(try FreePort.any())
        try await onOwnThread {
            func target(_ gateway: Gateway, port: Int? = nil) -> Target {
                let direct = fixture.target
                return Target(
                    asset: direct.asset, type: direct.type, address: direct.address, port: port ?? direct.port,
                    specific: direct.specific, gateway: gateway, stepLimit: direct.stepLimit)
            }
            let name = Self.fresh("far")
            let opened = try fixture.connector.open(target(gateway), as: fixture.worker)
            let session = try #require(opened as? any Turning)
            let direct = try Self.open(fixture).system
            #expect(session.system == direct)
            try session.create(AccountPush(request: fixture.request(name)), secret: .of("Far-secret-1!"))
            func verify(_ secret: String) throws -> Verdict {
                try fixture.connector.verify(fixture.credential(name, secret), on: target(gateway), by: .direct)
            }
            #expect(try verify("Far-secret-1!") == .proven)
            #expect(Self.isRejected(try verify("Far-secret-2!")))
            session.close()
            let wrong = Gateway(
                asset: gateway.asset, address: gateway.address, port: gateway.port, hostKeys: gateway.hostKeys,
                credential: fixture.credential("jump", "Wrong-jump-1!"))
            // What the gateway says of its own account says nothing of the target's.
            for target in [target(wrong), target(gateway, port: closed)] {
                let fault = #expect(throws: ConnectorFault.self) {
                    _ = try fixture.connector.verify(fixture.credential(name, "Far-secret-1!"), on: target, by: .direct)
                }
                #expect(fault?.kind == .unreachable)
            }
        }
        await host.stop()
    }
}
