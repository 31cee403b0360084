internal import ArgumentParser
internal import Client
internal import Cryptography
internal import JSON

struct TaskCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Define a task.",
        discussion: """
            The secret of a task with a specific secret is asked for, or read from standard input; never an argument, which others \
            could see.
            """)

    @Argument(help: "push, change, verify or remove.")
    var kind: TaskKind

    @Argument(help: "A name that no other task of the kind has.")
    var name: String

    @Option(
        name: .customLong("account"), parsing: .singleValue,
        help: ArgumentHelp("A user name, or @ALL for all that the vault has; may be repeated.", valueName: "username"))
    var accounts: [String] = []

    @Option(
        name: .customLong("asset"), parsing: .singleValue,
        help: ArgumentHelp("An asset, by name or id; may be repeated.", valueName: "asset"))
    var assets: [String] = []

    @Option(
        name: .customLong("node"), parsing: .singleValue,
        help: ArgumentHelp("A node with all below it, by id; may be repeated.", valueName: "id"))
    var nodes: [String] = []

    @Option(help: "The kind of secret that is set: password or ssh_key.")
    var secretType = SecretKind.password

    @Flag(help: "Set a secret of your own instead of a new one for each account.")
    var specificSecret = false

    @Option(help: PassphraseSource.help)
    var passphrase: PassphraseSource?

    @Option(help: ArgumentHelp("Rules for new passwords, as JSON.", valueName: "json"))
    var passwordRules: String?

    @Option(help: ArgumentHelp("Settings by platform, as JSON.", valueName: "json"))
    var params: String?

    @Option(help: ExistingAccount.help)
    var onExisting: ExistingAccount?

    @Option(help: ArgumentHelp("When it runs, such as '0 3 * * sun' or @daily.", valueName: "crontab"))
    var crontab: String?

    @Option(help: ArgumentHelp("Hours between runs, where there is no crontab.", valueName: "hours"))
    var interval: Int?

    @Option(help: ArgumentHelp("The time zone of the crontab, such as Europe/Berlin; UTC unless given.", valueName: "zone"))
    var timezone: String?

    @Option(
        help: ArgumentHelp("User name of the account that does the work; a privileged one unless given.", valueName: "username"))
    var worker: String?

    @Flag(help: "Privileged accounts too, where another way in is left. Asks for your password.")
    var includePrivileged = false

    @Flag(help: "Accounts that belong to the target's system too, such as those under UID_MIN. Asks for your password.")
    var includeSystem = false

    @Flag(help: "Do not log in with new secrets to prove them.")
    var noCheck = false

    @Option(
        name: .customLong("recipient"), parsing: .singleValue,
        help: ArgumentHelp("An email address that hears of results; may be repeated.", valueName: "address"))
    var recipients: [String] = []

    @Option(help: "Anything worth knowing.")
    var comment: String?

    @OptionGroup var options: AdminOptions

    func validate() throws {
        guard !accounts.isEmpty else { throw ValidationError("Say with --account which accounts; @ALL is all of them.") }
        guard !assets.isEmpty || !nodes.isEmpty else { throw ValidationError("Say where: --asset or --node.") }
        guard [.password, .sshKey].contains(secretType) else { throw ValidationError("--secret-type is password or ssh_key.") }
        guard setsSecret || !specificSecret && passwordRules == nil && !noCheck else {
            throw ValidationError("Only push and change tasks set secrets.")
        }
        guard specificSecret || passphrase == nil else { throw ValidationError("Only a secret of your own has a passphrase.") }
        guard kind == .push || onExisting == nil else { throw ValidationError("Only push tasks have --on-existing.") }
        guard kind != .verify || params == nil && !includePrivileged && !includeSystem else {
            throw ValidationError("A verify task changes nothing on its assets.")
        }
        guard timezone == nil || crontab != nil else { throw ValidationError("--timezone is that of a --crontab.") }
    }

    private var setsSecret: Bool { kind == .push || kind == .change }

    func run() async throws {
        let client = try options.client()
        var ids: [String] = []
        for asset in assets {
            guard let id = try await client.find(.assets, asset).identifier else { continue }
            ids.append(id)
        }
        let rules = try Self.object(passwordRules, "--password-rules")
        let params = try Self.object(params, "--params")
        let secret = specificSecret ? Handed(try secretType.ask(passphrase)) : nil
        let assets = ids
        let made = try await options.confirmed(client) {
            try await client.post(kind.tasks.path) { body in
                body.field("name", name)
                body.field("accounts", accounts)
                body.field("assets", assets)
                body.field("nodes", nodes)
                if let worker { body.field("worker", worker) }
                if let params { body.field("params", params) }
                if setsSecret { writeSecretKind(rules, secret, &body) }
                if let onExisting { body.field("on_existing", onExisting.rawValue) }
                if includePrivileged { body.field("include_privileged", true) }
                if includeSystem { body.field("include_system", true) }
                writeTiming(&body)
                body.field("recipients", recipients)
                if let comment { body.field("comment", comment) }
            }
        }
        options.say(made)
    }

    /// A secret that may have to be sent twice: before a confirmation and after it.
    private final class Handed {
        let secret: GivenSecret
        init(_ secret: consuming GivenSecret) { self.secret = secret }
    }

    private func writeSecretKind(_ rules: JSONValue?, _ handed: Handed?, _ body: inout JSONWriter<some JSONSink>) {
        body.field("secret_type", secretType.rawValue)
        body.field("secret_strategy", specificSecret ? "specific" : "random")
        body.field("check_conn_after_change", !noCheck)
        if let rules { body.field("password_rules", rules) }
        handed?.secret.write(into: &body)
    }

    private func writeTiming(_ body: inout JSONWriter<some JSONSink>) {
        guard crontab != nil || interval != nil else { return }
        body.field("is_periodic", true)
        if let crontab { body.field("crontab", crontab) }
        if let interval { body.field("interval", interval) }
        if let timezone { body.field("timezone", timezone) }
    }

    private static func object(_ text: String?, _ option: String) throws -> JSONValue? {
        guard let text else { return nil }
        guard let value = try? JSONDocument.parse(text), value.kind == .object else {
            throw Failure("\(option) is not a JSON object", status: .usage)
        }
        return value
    }
}
