import Foundation
import JSON
import Outbound
import Synchronization
import TestSupport
import Testing

/// A real server and its accounts in all towns, to be killed and to be asked afterwards.
final class CrashSite: Sendable {
    static let rules = #"{"length":24,"lowercase":true,"uppercase":true,"digit":true,"symbol":false}"#

    /// One account whose secret is changed.
    struct Person: Sendable {
        /// Its place among the towns.
        let town: Int
        let username: String
        let id: String
    }

    /// Short only where connections stay silent: what has to answer may be slow.
    static let stepTimeout = TurnCrashTests.cuts.contains(.silence) ? "10s" : "30s"

    let server: ServerProcess
    let towns: [any Town]
    let key: ApplicationKey
    /// A file with a step's name in it keeps changes behind the step.
    private let holds: TemporaryDirectory
    /// The assets' ids by town.
    private let assets: [(direct: String, throughWire: String)]
    private let state: Mutex<State>

    private struct State {
        var admin: Administrator
        var people = 0
    }

    /// The limit of rejected logins is the usual one.
    ///
    /// - Parameters:
    ///   - stepTimeout: Of one remote step.
    ///   - disk: Where the data lie, with nothing kept in reserve, so that a full disk is full; nil for a disk with room.
    init(_ towns: [any Town], stepTimeout: String = CrashSite.stepTimeout, on disk: SmallDisk? = nil) async throws {
        self.towns = towns
        let limits = [
            "accounts_at_once: 192", "accounts_per_host: 48", "accounts_per_gateway: 16", "step_timeout: \(stepTimeout)",
        ]
        let configuration = "automation:\n" + limits.map { "  \($0)\n" }.joined() + (disk == nil ? "" : "disk_reserve: 0\n")
        holds = try TemporaryDirectory("holds")
        server = try await ServerProcess.make(
            configuration: configuration, environment: ["KEYTURN_HOLD": holds.path], data: disk?.file("data"))
        try await server.start()
        let admin = try await Administrator(server)
        key = try await admin.application("crash")
        var assets: [(String, String)] = []
        for town in towns {
            var ids: [String] = []
            for throughWire in [false, true] {
                let asset = town.asset(named: town.platform + (throughWire ? " by wire" : ""), throughWire: throughWire)
                let id = try await admin.create(asset.resource, asset.json).string("id")
                _ = try await admin.create(
                    "accounts/accounts",
                    #"{"name":"worker","username":"\#(town.worker.username)","asset":"\#(id)","secret":"\#(town.worker.secret)","privileged":true}"#
                )
                ids.append(id)
            }
            assets.append((ids[0], ids[1]))
        }
        self.assets = assets
        state = Mutex(State(admin: admin))
    }

    func asset(of town: Int, throughWire: Bool = false) -> String {
        throughWire ? assets[town].throughWire : assets[town].direct
    }

    /// The administrator over a connection to the server as it runs now.
    var admin: Administrator { Administrator(state.withLock { $0.admin }, at: server) }

    /// A log-in lasts for hours, and not for ever.
    func logIn() async throws {
        let admin = try await Administrator(server)
        state.withLock { $0.admin = admin }
    }
}

// MARK: - People

extension CrashSite {
    /// New accounts, so many in each town, both there and in Keyturn; the same names everywhere.
    func people(_ count: Int, throughWire: Bool = false) async throws -> [Person] {
        let first = state.withLock { state in
            state.people += count
            return state.people - count
        }
        let logins = (0..<count).map { number in
            let name = "p\(UInt32.random(in: 0...0xFFFFFF))n\(first + number)"
            return Login(username: name, secret: "First-of-\(name)-aB3")
        }
        let admin = admin
        return try await withThrowingTaskGroup(of: [Person].self) { group in
            for (place, town) in towns.enumerated() {
                let asset = asset(of: place, throughWire: throughWire)
                group.addTask {
                    try await town.settle(logins)
                    var people: [Person] = []
                    for login in logins {
                        let id = try await admin.account(login.username, on: asset, secret: login.secret)
                        people.append(Person(town: place, username: login.username, id: id))
                    }
                    return people
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// What applications are served for somebody.
    func served(_ person: Person, over connection: APIConnection) async throws -> String {
        let answer = try await key.fetch(over: connection, ApplicationKey.route + "?account_id=\(person.id)")
        guard answer.status == 200 else { throw ProgramFault.unexpected("a fetch of \(person.username)", output: answer.text) }
        return answer.string("secret")
    }

    /// Those of whom the secret that is served does not open their account.
    func lost(_ people: [Person]) async throws -> [Person] {
        let connection = APIConnection(server)
        var logins: [(Person, Login)] = []
        for person in people {
            logins.append((person, Login(username: person.username, secret: try await served(person, over: connection))))
        }
        return try await withThrowingTaskGroup(of: Person?.self) { group in
            var lost: [Person] = []
            for (place, (person, login)) in logins.enumerated() {
                if place >= 4, let one = try await group.next() { lost += [one].compactMap { $0 } }
                group.addTask { [towns] in try await towns[person.town].opens(login) ? nil : person }
            }
            for try await one in group { lost += [one].compactMap { $0 } }
            return lost
        }
    }

    /// Rejected logins of somebody of whom one is expected: a target may note it a little after its answer.
    func rejections(of person: Person) async throws -> Int {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let count = try await towns[person.town].rejections()[person.username] ?? 0
            if count > 0 || ContinuousClock.now > deadline { return count }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// The most rejected logins that anybody of these, or a worker, has had at the target.
    func mostRejections(_ people: [Person]) async throws -> Int {
        var most = 0
        for (place, town) in towns.enumerated() {
            let counts = try await town.rejections()
            let names = people.filter { $0.town == place }.map(\.username) + [town.worker.username]
            most = max(most, names.map { counts[$0] ?? 0 }.max() ?? 0)
        }
        return most
    }
}

// MARK: - Changes

extension CrashSite {
    /// Starts a task for these people, and returns its execution.
    func begin(_ people: [Person], verb: String = "change-secret", throughWire: Bool = false) async throws -> String {
        let names = Set(people.map(\.username)).sorted().map { "\"\($0)\"" }.joined(separator: ",")
        let places = assets.indices.map { "\"\(asset(of: $0, throughWire: throughWire))\"" }.joined(separator: ",")
        let what =
            verb == "change-secret"
            ? #","secret_type":"password","secret_strategy":"random","password_rules":\#(Self.rules)"# : ""
        let task = try await admin.create(
            "accounts/\(verb)-automations",
            #"{"name":"\#(verb) \#(UUID())","accounts":[\#(names)],"assets":[\#(places)]\#(what)}"#
        ).string("id")
        return try await admin.create("accounts/\(verb)-executions", #"{"automation":"\#(task)"}"#).string("task")
    }

    /// Waits until an execution is over.
    func finish(_ execution: String, verb: String = "change-secret", limit: Duration = .seconds(300)) async throws {
        let deadline = ContinuousClock.now + limit
        while try await isRunning(execution, verb) {
            guard ContinuousClock.now < deadline else { throw ProgramFault.timedOut("an execution", output: server.log) }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func isRunning(_ execution: String, _ verb: String) async throws -> Bool {
        let seen = try await admin.call(.get, "/api/v1/accounts/\(verb)-executions/\(execution)/")
        let status = seen.json?["status"]?["value"]?.string ?? seen.string("status")
        return ["pending", "running", ""].contains(status)
    }

    /// Waits until no change of these people is open any more; returns those of whom one is, when the time is over.
    func unsettled(_ people: [Person], limit: Duration = .seconds(300)) async throws -> [Person] {
        let (admin, deadline) = (admin, ContinuousClock.now + limit)
        var open = people
        while true {
            var still: [Person] = []
            for person in open {
                let answer = try await admin.call(.get, "/api/v1/accounts/accounts/\(person.id)/")
                guard answer.status == 200 else { throw ProgramFault.unexpected("an account", output: answer.text) }
                if answer.json?["change"]?.string != nil { still.append(person) }
            }
            open = still
            if open.isEmpty || ContinuousClock.now > deadline { return open }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// What the records say of the last changes, for a test that failed.
    func records(of verb: String = "change-secret", in execution: String? = nil) async -> String {
        let chosen = execution.map { "&execution=\($0)" } ?? ""
        return (try? await admin.call(.get, "/api/v1/accounts/\(verb)-records/?limit=12&order=-date_created\(chosen)").text) ?? ""
    }
}

// MARK: - Where changes stand

extension CrashSite {
    /// From now on every change that makes the step stands still behind it.
    func hold(_ step: String) throws { try holds.write("", to: step) }

    /// Lets them go on.
    func letGo(_ step: String) { try? FileManager.default.removeItem(atPath: holds.file(step)) }

    /// Waits until the changes of all these people stand behind the step, or no more come to; those that do.
    func standing(_ people: [Person], behind step: String) async throws -> [Person] {
        let held = try await standing(behind: step) { held in people.filter { held.contains($0.id) }.count == people.count }
        return people.filter { held.contains($0.id) }
    }

    /// The ids of the accounts whose changes stand behind the step, once these are all, or no more come to it.
    func standing(
        behind step: String, limit: Duration = .seconds(120), until areAll: (Set<String>) -> Bool
    ) async throws -> Set<String> {
        let deadline = ContinuousClock.now + limit
        var (seen, since) = (0, ContinuousClock.now)
        while true {
            let held = try Set(String(decoding: holds.read(step), as: UTF8.self).split(separator: "\n").map(String.init))
            if held.count > seen { (seen, since) = (held.count, .now) }
            // The first has to come all the way; the others are right behind.
            let isOver = seen > 0 && ContinuousClock.now - since > .seconds(40)
            if areAll(held) || isOver || ContinuousClock.now > deadline { return held }
            guard server.program?.poll() == nil else { throw ProgramFault.unexpected("keyturnd ended", output: server.log) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

// MARK: - One for all tests of a suite

/// Opens what the tests of a suite share, and ends it with the last of them: nothing else would end a server that a constant holds.
struct SharedSite: SuiteTrait, TestScoping {
    @TaskLocal static var site: CrashSite?

    /// Whether its data lie on a small disk.
    let isOnSmallDisk: Bool

    func provideScope(
        for test: Test, testCase: Test.Case?, performing tests: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let disk = isOnSmallDisk ? try SmallDisk() : nil
        let site = try await CrashSite(Towns.built.value, on: disk)
        try await SmallDisk.$shared.withValue(disk) {
            try await Self.$site.withValue(site) { try await tests() }
        }
        try await site.server.kill()
    }

    /// The site, with its server running and the administrator logged in.
    static func running() async throws -> CrashSite {
        let site = try #require(site)
        if site.server.program.map({ $0.poll() != nil }) ?? true { try await site.server.start() }
        try await site.logIn()
        return site
    }
}
