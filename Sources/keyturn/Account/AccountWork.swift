internal import ArgumentParser
internal import Client

struct AccountRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Give an account a new secret, on its asset and here.",
        discussion: "The new secret is stored before anything is sent, and proved by a login before the old one is given up.")

    @Flag(help: "Also a privileged account, where another way in is left. Asks for your password.")
    var includePrivileged = false

    @OptionGroup var work: AccountWorkOptions

    func run() async throws { try await work.run("change_secret", .change, includesPrivileged: includePrivileged) }
}

struct AccountVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Log in as an account to see whether its secret is live.")

    @OptionGroup var work: AccountWorkOptions

    func run() async throws { try await work.run("verify", .verify, includesPrivileged: false) }
}

struct AccountPush: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Create an account on its asset with the secret that it has here.",
        discussion: "One that is there already is left as it is, unless --on-existing says otherwise.")

    @Option(help: ExistingAccount.help)
    var onExisting = ExistingAccount.nothing

    @Flag(help: "Also a privileged account. Asks for your password.")
    var includePrivileged = false

    @OptionGroup var work: AccountWorkOptions

    func run() async throws {
        try await work.run("push", .push, includesPrivileged: includePrivileged, onExisting: onExisting)
    }
}

/// What commands that work on accounts share.
struct AccountWorkOptions: ParsableArguments {
    @Argument(help: "ASSET/ACCOUNT or the account's id; several may be named.")
    var accounts: [String]

    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var options: AdminOptions

    func run(
        _ action: String, _ kind: TaskKind, includesPrivileged: Bool, onExisting: ExistingAccount? = nil
    ) async throws {
        let client = try options.client()
        var ids: [String] = []
        for account in accounts {
            guard let id = try await client.findAccount(account).identifier else {
                throw ClientError(.unexpectedAnswer, "the account has no id")
            }
            ids.append(id)
        }
        let chosen = ids
        let id = try await options.confirmed(client) {
            try await client.work(
                action, accounts: chosen, includesPrivileged: includesPrivileged, onExisting: onExisting?.rawValue)
        }
        try await execution.follow(id, kind, client, options)
    }
}
