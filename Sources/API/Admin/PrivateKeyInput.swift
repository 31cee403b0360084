internal import Cryptography
internal import Domain
internal import JSON
internal import Threads

/// Private keys as clients bring them: unlocked and checked here, and kept in OpenSSH's form without the passphrase that protected them.
enum PrivateKeyInput {
    /// A key that was unlocked before the transaction that stores it, or why it could not be.
    typealias Unlocked = Result<SecretHandoff, Refusal>

    /// Protected keys in one request: each costs as much as whoever protected it wanted a guess to cost.
    static let mostAtOnce = 32
    static let longestKey = 40_960
    static let longestPassphrase = 512

    private static let threads = BlockingThreads(limit: 2)

    /// Reads a key on a thread of its own: a passphrase takes a second or more, an RSA key's check a good part of one.
    ///
    /// - Parameters:
    ///   - key: the key's text, still in its body.
    ///   - passphrase: nil for a key without one.
    static func unlocked(_ key: JSONValue, passphrase: JSONValue?) async -> Unlocked {
        do {
            return .success(try await threads.run { SecretHandoff(try read(key, passphrase)) })
        } catch let refusal as Refusal {
            return .failure(refusal)
        } catch {
            return .failure(.unavailable("The private key could not be read now."))
        }
    }

    /// The protected key that a body brings, as far as that can be told before the body is checked; nil where it brings none.
    static func unlocked(in body: JSONValue) async -> Unlocked? {
        guard let key = body["secret"], let passphrase = body["passphrase"],
            (1...longestKey).contains(key.unescapedCount ?? 0), (1...longestPassphrase).contains(passphrase.unescapedCount ?? 0)
        else { return nil }
        return await unlocked(key, passphrase: passphrase)
    }

    private static func read(_ key: JSONValue, _ passphrase: JSONValue?) throws(Refusal) -> Secret {
        let text = try key.secret()
        let word = try passphrase?.secret()
        do throws(SSHKeyFault) {
            return try SSHKeyPair.read(text, passphrase: word).openSSH()
        } catch {
            throw refusal(error)
        }
    }

    /// Whether a key cannot be used without its passphrase. Quick: the key itself is not checked.
    static func isProtected(_ text: borrowing Secret) -> Bool {
        do throws(SSHKeyFault) {
            _ = try SSHSigningKey(text)
            return false
        } catch {
            return error == .passphraseNeeded
        }
    }

    static func refusal(_ fault: SSHKeyFault) -> Refusal {
        switch fault {
        case .passphraseNeeded, .wrongPassphrase: .invalid("passphrase", fault.message)
        case .notAPrivateKey, .unsupported, .tooShort, .damaged, .library: .invalid("secret", fault.message)
        }
    }
}
