internal import Access
internal import ArgumentParser
internal import Automation
internal import Cryptography
internal import Domain
internal import Sealing
internal import Server
internal import Storage

/// Fills a stopped vault with accounts, applications and tasks, for measurements: through the same sealing and tables as the server, without HTTP.
///
/// Writes OUTPUT/applications.tsv (key id, secret) and OUTPUT/accounts.tsv (asset, account). Names have one length.
@main
struct BenchLoad: ParsableCommand {
    @Option var data: String
    @Option var keys: String?
    @Option var accounts = 1000
    @Option var applications = 1000
    @Option var perAsset = 1000
    @Option var tasks = 0
    /// When the tasks are due, in seconds since 1970.
    @Option var due: Int64 = 0
    @Option var output: String

    private static let filter = """
        {"type":"attrs","attrs":[{"name":"username","match":"startswith","value":"svc","rel":"and"},\
        {"name":"secret_type","match":"in","value":["password","token"],"rel":"and"},\
        {"name":"privileged","match":"exact","value":false,"rel":"and"}]}
        """
    private static let networks = [
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "203.0.113.0/24", "198.51.100.7", "2001:db8::/32", "::1",
    ]

    func run() throws {
        let database = try Database.open(at: data + "/keyturn.db")
        defer { database.close() }
        let keyring = Keyring(database: database)
        try keyring.unseal(with: KeyFileUnsealer(directory: keys ?? data + "-keys"))
        var lines: [String] = []
        let step = max(1, accounts / 1000)
        for start in stride(from: 0, to: accounts, by: perAsset) {
            let range = start..<min(start + perAsset, accounts)
            let asset = Self.name("host", start / perAsset)
            try load(asset, Array(range), keyring, database)
            for number in range where number % step == 0 { lines.append(asset + "\t" + Self.name("svc", number % perAsset)) }
        }
        let made = try (0..<applications).map { try application($0, keyring, database) }
        try addTasks(keyring, database)
        try PrivateFile.write(Array((made.joined(separator: "\n") + "\n").utf8), to: output + "/applications.tsv")
        try PrivateFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: output + "/accounts.tsv")
    }

    private func load(_ name: String, _ numbers: [Int], _ keyring: Keyring, _ database: Database) throws {
        let now = Timestamp.now
        try database.writeSync { db in
            let workspace = try SealingWorkspace()
            let keys = try keyring.keys()
            let asset = Asset(
                id: .random(), organization: .default, name: name, address: "10.0.0.1", platform: Platform.ID(rawValue: 1),
                protocols: [AssetProtocol(name: "ssh", port: 22)], dateCreated: now, dateUpdated: now)
            try Assets.insert(keys.authenticated(asset, with: workspace), on: db)
            for number in numbers {
                let id = AccountID.random()
                let label = Self.name("svc", number % numbers.count)
                let account = Account(
                    id: id, organization: .default, asset: asset.id, name: label, username: label,
                    stages: SecretStages(current: 1, last: 1), dateCreated: now, dateUpdated: now)
                try Accounts.insert(keys.authenticated(account, with: workspace), on: db)
                let secret = try SecureRandom.characters(count: 32, from: SecureRandom.alphanumerics)
                let place = Place.accountSecret(id, version: 1, in: .default)
                let sealed = try keyring.seal(secret, at: place, with: workspace, now: now, in: db)
                try SecretVersions.insert(
                    SecretVersion(
                        account: id, organization: .default, number: 1, secretType: .password, secret: sealed, fingerprint: nil,
                        createdBy: "bench", dateCreated: now), on: db)
            }
        }
    }

    private func application(_ number: Int, _ keyring: Keyring, _ database: Database) throws -> String {
        let now = Timestamp.now
        return try database.writeSync { db in
            let workspace = try SealingWorkspace()
            let keys = try keyring.keys()
            let id = ApplicationID.random()
            let secret = try SecureRandom.characters(count: 36, from: SecureRandom.alphanumerics)
            let application = Application(
                id: id, organization: .default, name: Self.name("application", number), accounts: Self.filter,
                ipGroup: Self.networks,
                dateCreated: now, dateUpdated: now)
            try Applications.insert(keys.authenticated(application, with: workspace), on: db)
            let sealed = try keyring.seal(
                secret, at: .credentialSecret(id.retyped(), in: .default), with: workspace, now: now, in: db)
            let credential = Credential(
                id: id.retyped(), application: id, organization: .default, name: "first", secret: sealed, dateCreated: now)
            try Credentials.insert(keys.authenticated(credential, with: workspace), on: db)
            return id.description + "\t" + secret.withBytes { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// Tasks that run every hour and find no account to work on.
    private func addTasks(_ keyring: Keyring, _ database: Database) throws {
        let before = Timestamp(seconds: due - 3600)
        try database.writeSync { db in
            let workspace = try SealingWorkspace()
            let keys = try keyring.keys()
            let agenda = Agenda(zones: ZoneDirectory())
            for number in 0..<tasks {
                let timing = TaskTiming(isPeriodic: true, interval: 1, start: before, since: before)
                let task = AutomationTask(
                    id: .random(), organization: .default, name: Self.name("task", number),
                    order: TaskOrder(kind: .changeSecret, accounts: [TaskOrder.allAccounts]), timing: timing,
                    dateCreated: before, dateUpdated: before)
                try AutomationTasks.insert(keys.authenticated(task, with: workspace), on: db)
                try agenda.replan(task, at: before, on: db)
            }
        }
    }

    private static func name(_ prefix: String, _ number: Int) -> String {
        let digits = String(number)
        return prefix + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }
}
