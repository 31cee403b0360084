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
    func ask() throws -> Secret {
        if self == .sshKey && Terminal.isInputForPeople {
            throw Failure("give the key on standard input, such as: < key-file", status: .usage)
        }
        return try Prompt.secret("Secret (\(rawValue))", keepsLineBreak: self == .sshKey)
    }

    func write(_ secret: borrowing Secret?, into body: inout JSONWriter<some JSONSink>) {
        switch secret {
        case .some(let secret):
            body.key("secret")
            secret.withBytes { body.string(utf8: $0) }
        case .none: break
        }
    }
}
