package import Cryptography
package import Domain

/// A name and a secret to log in with. The secret is lent and never handed out, and wiped with the last reference.
///
/// One login serves several steps on several threads, one after the other; that is why it is a reference to one immutable `Secret`
/// and not a `SecretHandoff`, which can be taken once.
package final class TargetLogin: Sendable {
    package let username: String
    /// `.password` or `.sshKey`; of a key the secret is the private key in OpenSSH form, without passphrase.
    package let secretType: SecretType
    /// Who counts the logins that are made with it.
    package let admission: Admission
    private let secret: Secret

    package init(
        username: String, secretType: SecretType, secret: consuming Secret, admission: Admission = .always
    ) {
        self.username = username
        self.secretType = secretType
        self.admission = admission
        self.secret = secret
    }

    /// Lends the secret for the length of the closure.
    package func withSecret<Output: ~Copyable, Failure: Swift.Error>(
        _ body: (borrowing Secret) throws(Failure) -> Output
    ) throws(Failure) -> Output {
        try body(secret)
    }
}

extension TargetLogin {
    /// The same name with a password that nobody has: a target that lets it in proves nothing by letting others in.
    static func wrong(for username: String) throws(ConnectorFault) -> TargetLogin {
        do throws(CryptographyFault) {
            // Letters and digits alone, so that no target refuses it for its form.
            let alphabet = Array("abcdefghijkmnpqrstuvwxyzABCDEFGH".utf8)
            var letters = try SecureRandom.bytes(count: 32).map { alphabet[Int($0) % alphabet.count] }
            return TargetLogin(username: username, secretType: .password, secret: Secret(moving: &letters))
        } catch {
            throw ConnectorFault(.unsupported, effect: .none, words: "no random numbers")
        }
    }
}
