/// The kinds of SSH key that are made and read.
package enum SSHKeyKind: String, Sendable, CaseIterable {
    case ed25519
    case ecdsaP256 = "ecdsa_p256"
    /// Read, not offered: keys of people who bring them.
    case ecdsaP384 = "ecdsa_p384"
    case ecdsaP521 = "ecdsa_p521"
    case rsa3072 = "rsa_3072"
    case rsa4096 = "rsa_4096"
    /// Of another length that is still good enough; read, not offered.
    case rsa

    /// What can be chosen for a new key; the first is the default.
    package static let generated: [SSHKeyKind] = [.ed25519, .ecdsaP256, .rsa3072, .rsa4096]

    /// The name in public key blobs and lines (RFC 4253, 6.6; RFC 5656, 3.1; RFC 8709, 4).
    package var algorithm: String {
        switch self {
        case .ed25519: "ssh-ed25519"
        case .ecdsaP256: "ecdsa-sha2-nistp256"
        case .ecdsaP384: "ecdsa-sha2-nistp384"
        case .ecdsaP521: "ecdsa-sha2-nistp521"
        case .rsa3072, .rsa4096, .rsa: "ssh-rsa"
        }
    }

    /// Modulus lengths in bits that are taken: shorter ones are refused by today's servers, longer ones only cost time.
    static let moduli = 2048...8192

    static func rsa(bits: Int) -> SSHKeyKind? {
        guard moduli.contains(bits) else { return nil }
        return bits == 3072 ? .rsa3072 : bits == 4096 ? .rsa4096 : .rsa
    }
}

/// One of the three curves that OpenSSH knows.
struct SSHCurve {
    let kind: SSHKeyKind
    /// In blobs (RFC 5656, 10.1).
    let name: String
    /// In libcrypto.
    let group: String
    let coordinateByteCount: Int

    static let all = [
        SSHCurve(kind: .ecdsaP256, name: "nistp256", group: "prime256v1", coordinateByteCount: 32),
        SSHCurve(kind: .ecdsaP384, name: "nistp384", group: "secp384r1", coordinateByteCount: 48),
        SSHCurve(kind: .ecdsaP521, name: "nistp521", group: "secp521r1", coordinateByteCount: 66),
    ]
}

/// Why a text is no private key that can be used.
package enum SSHKeyFault: Swift.Error, Sendable, Hashable {
    /// Neither OpenSSH's form nor PEM, or a public key.
    case notAPrivateKey
    case passphraseNeeded
    case wrongPassphrase
    /// A kind of key, a cipher or a derivation that is not known, or too costly to be run.
    case unsupported
    /// An RSA key that servers of today refuse.
    case tooShort
    /// It has the right form, and wrong contents.
    case damaged
    /// The library refused.
    case library(String)

    package var message: String {
        switch self {
        case .notAPrivateKey: "This is not a private key in OpenSSH or PEM form."
        case .passphraseNeeded: "The private key is protected: its passphrase is needed."
        case .wrongPassphrase: "The passphrase is wrong."
        case .unsupported: "This kind of private key, or of its protection, is not supported."
        case .tooShort: "An RSA key must have \(SSHKeyKind.moduli.lowerBound) to \(SSHKeyKind.moduli.upperBound) bits."
        case .damaged: "The private key is damaged."
        case .library(let words): "The private key could not be used: \(words)"
        }
    }

    init(_ fault: CryptographyFault) {
        switch fault {
        case .notAuthentic: self = .wrongPassphrase
        case .badInput(let words): self = .library(words)
        case .library(let operation, let reason): self = .library("\(operation): \(reason)")
        }
    }
}
