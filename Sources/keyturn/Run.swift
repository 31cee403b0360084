internal import ArgumentParser
internal import Client

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command with secrets in its environment, as an application.",
        discussion: """
            Fetches every secret first, then becomes the command, whose exit status is the result. If one fetch fails, the \
            command is not run. The command does not get KEYTURN_KEY_SECRET, unless --keep-key is given.
            """)

    @Option(
        name: .customLong("env"), parsing: .singleValue,
        help: ArgumentHelp(
            "A variable and the account whose secret it gets: NAME=ASSET/ACCOUNT or NAME=ACCOUNT-ID.", valueName: "binding"))
    var bindings: [EnvironmentBinding] = []

    @Flag(help: "Leave KEYTURN_KEY_SECRET in the command's environment.")
    var keepKey = false

    @OptionGroup var application: ApplicationOptions

    @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.")
    var command: [String] = []

    func validate() throws {
        guard !command.isEmpty else { throw ValidationError("Name the command after --.") }
        guard Set(bindings.map(\.name)).count == bindings.count else { throw ValidationError("A variable is named twice.") }
    }

    func run() async throws {
        let environment = ProcessEnvironment()
        if !bindings.isEmpty {
            let client = try application.client()
            for binding in bindings {
                let secret = try await binding.account.fetch(client)
                let isSet = secret.reveal { environment.set(binding.name, to: $0) }
                guard isSet else { throw Failure("the secret for \(binding.name) has a zero byte, which a variable cannot hold") }
            }
        }
        if !keepKey { environment.remove("KEYTURN_KEY_SECRET") }
        throw environment.become(command)
    }
}

/// `NAME=ASSET/ACCOUNT`: a variable and the account whose secret it gets.
struct EnvironmentBinding: ExpressibleByArgument, Equatable {
    let name: String
    let account: AccountReference

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="),
            let account = AccountReference(String(argument[argument.index(after: equals)...]))
        else { return nil }
        name = String(argument[..<equals])
        self.account = account
        let isName = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isName, let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
    }
}
