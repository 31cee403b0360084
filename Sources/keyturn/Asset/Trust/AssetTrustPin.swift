internal import ArgumentParser
internal import Client
internal import JSON

struct AssetTrustPin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pin", abstract: "Pin the host keys that an asset must show, in place of those that are pinned.",
        discussion: "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub, on the host itself, prints a key's fingerprint.")

    @Option(
        name: .customLong("host-key"), parsing: .singleValue,
        help: ArgumentHelp("A host key's fingerprint; may be repeated.", valueName: "SHA256:…"))
    var hostKeys: [FingerprintArgument] = []

    @Option(
        name: .customLong("system"), parsing: .singleValue,
        help: ArgumentHelp("A database as 'trust show' names it; may be repeated.", valueName: "database:…"))
    var systems: [String] = []

    @Option(help: "strict: nothing but what is pinned; accept-new: the first one where nothing is.")
    var policy: TrustPolicy?

    @OptionGroup var trust: AssetTrustOptions

    func validate() throws {
        guard !hostKeys.isEmpty || !systems.isEmpty || policy != nil else {
            throw ValidationError("Name a --host-key, a --system or a --policy.")
        }
    }

    func run() async throws {
        let client = try trust.options.client()
        let names = hostKeys.map { "ssh-host-key:" + $0.text } + systems
        let stored = try await client.put(trust.find(client).path) { body in
            if !names.isEmpty { body.field("systems", names) }
            if let policy { body.field("policy", policy.rawValue) }
        }
        trust.options.say(stored)
    }
}

/// A host key's SHA-256 as ssh-keygen prints it.
struct FingerprintArgument: ExpressibleByArgument, Equatable {
    let text: String

    init?(argument: String) {
        let digest = argument.dropFirst("SHA256:".count)
        guard argument.hasPrefix("SHA256:"), digest.utf8.count == 43,
            digest.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "+" || $0 == "/") })
        else { return nil }
        text = argument
    }
}

enum TrustPolicy: String, ExpressibleByArgument, CaseIterable {
    case strict
    case acceptNew = "accept-new"
}
