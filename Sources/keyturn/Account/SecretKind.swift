internal import ArgumentParser
internal import Cryptography
internal import JSON

/// The kinds of secrets that accounts have.
enum SecretKind: String, ExpressibleByArgument, CaseIterable {
    case password
    case sshKey = "ssh_key"
    case accessKey = "access_key"
    case token
    case apiKey = "api_key"

    /// Asks for a secret of this kind. A key file ends with a line break that belongs to it.
    func ask(_ source: PassphraseSource?) throws -> GivenSecret {
        guard self == .sshKey else {
            guard source == nil else { throw Failure("only a private key has a passphrase", status: .usage) }
            return GivenSecret(secret: try Prompt.secret("Secret (\(rawValue))"))
        }
        if Terminal.isInputForPeople { throw Failure("give the key on standard input, such as: < key-file", status: .usage) }
        let input = try Prompt.secret("", keepsLineBreak: true)
        switch source {
        case nil: return GivenSecret(secret: input)
        case .ask?: return GivenSecret(secret: input, passphrase: try Prompt.hidden("Passphrase of the key"))
        case .firstLine?: return try GivenSecret(lineAndKey: input)
        }
    }
}

/// Where the passphrase of a private key comes from.
enum PassphraseSource: String, ExpressibleByArgument, CaseIterable {
    case ask
    case firstLine = "first-line"

    static let help: ArgumentHelp =
        "The key is protected: ask for its passphrase on the terminal (ask), or read it as the first line before the key (first-line)."
}

/// A secret as somebody gave it, with the passphrase that protects it if it is a key.
struct GivenSecret: ~Copyable {
    private let secret: Secret
    private let passphrase: Secret?

    init(secret: consuming Secret, passphrase: consuming Secret? = nil) {
        self.secret = secret
        self.passphrase = passphrase
    }

    /// A line with the passphrase, and the key in the lines below.
    init(lineAndKey input: borrowing Secret) throws {
        let end = input.withBytes { $0.firstIndex(of: 10) }
        guard let end, end > 0, end + 1 < input.count else {
            throw Failure("the first line of standard input must be the passphrase, and the key follow", status: .usage)
        }
        let word = input.withBytes { bytes in
            let line = bytes[..<end]
            return Secret(copying: UnsafeRawBufferPointer(rebasing: line.last == 13 ? line.dropLast() : line))
        }
        self.init(
            secret: input.withBytes { Secret(copying: UnsafeRawBufferPointer(rebasing: $0[(end + 1)...])) }, passphrase: word)
    }

    /// Writes nothing where there is none.
    static func write(_ given: borrowing GivenSecret?, into body: inout JSONWriter<some JSONSink>) {
        switch given {
        case .some(let given): given.write(into: &body)
        case .none: break
        }
    }

    func write(into body: inout JSONWriter<some JSONSink>) {
        body.key("secret")
        secret.withBytes { body.string(utf8: $0) }
        switch passphrase {
        case .some(let passphrase):
            body.key("passphrase")
            passphrase.withBytes { body.string(utf8: $0) }
        case .none: break
        }
    }
}
