internal import Cryptography
internal import Domain
internal import Vault

/// Makes a fresh secret each time.
typealias NewSecret = @Sendable () throws -> Secret

/// Secrets that are made by the rules of a task.
enum NewSecrets {
    /// - Parameter rules: in their stored form; empty for those of the platform.
    static func password(_ rules: String, for platformType: String) throws -> NewSecret {
        let standard = PasswordRules.standard(for: platformType)
        guard let chosen = rules.isEmpty ? standard : PasswordRules(text: rules) else {
            throw Stop(.failed, .noSecret, "The rules for the password cannot be read.")
        }
        return { try PasswordGenerator.password(by: chosen) }
    }

    /// A private key in OpenSSH's form of the kind that the parameters name; Ed25519 where they name none.
    static func key(_ parameters: [String: String]) throws -> NewSecret {
        let name = parameters["ssh_key_type"] ?? ""
        guard let kind = name.isEmpty ? .ed25519 : SSHKeyKind(rawValue: name), SSHKeyKind.generated.contains(kind) else {
            let names = SSHKeyKind.generated.map(\.rawValue).joined(separator: ", ")
            throw Stop(.failed, .secretType, "ssh_key_type must be one of \(names).")
        }
        return { try SSHKeyPair.generate(kind).openSSH() }
    }
}
