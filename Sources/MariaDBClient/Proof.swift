package import Cryptography
internal import Streams

/// The ways to prove a password that are given, by the names of their plugins. Whatever else a server asks for, it does not get.
enum Proof: String {
    /// SHA1(p) ⊕ SHA1(nonce ‖ SHA1(SHA1(p))).
    case native = "mysql_native_password"
    /// A signature of the nonce (MariaDB).
    case ed25519 = "client_ed25519"
    /// SHA256(p) ⊕ SHA256(SHA256(SHA256(p)) ‖ nonce); what follows when the server does not remember the account shows the password (MySQL 8).
    case cachingSHA2 = "caching_sha2_password"

    func answer(_ nonce: [UInt8], _ password: borrowing Secret) throws(MariaDBFault) -> [UInt8] {
        do throws(CryptographyFault) {
            switch self {
            case .native:
                let nonce = Array(nonce.prefix(20))
                let once = try MessageDigest.sha1.digest(of: password)
                let twice = try MessageDigest.sha1.digest(of: once)
                return Self.mixed(once, try MessageDigest.sha1.digest(nonce, and: twice))
            case .ed25519:
                return try Ed25519Password(password).signature(for: Array(nonce.prefix(32)))
            case .cachingSHA2:
                let once = try Self.sha256(password, [])
                let thrice = try Self.sha256(Self.sha256(once, []), Array(nonce.prefix(20)))
                return Self.mixed(once, thrice)
            }
        } catch { throw MariaDBFault(.badInput, "the answer cannot be computed") }
    }

    private static func sha256(_ secret: borrowing Secret, _ rest: [UInt8]) throws(CryptographyFault) -> Secret {
        let hash = try SHA256()
        secret.withBytes { hash.update($0) }
        hash.update(rest)
        var digest = try hash.finalize()
        return Secret(moving: &digest)
    }

    private static func mixed(_ one: borrowing Secret, _ other: borrowing Secret) -> [UInt8] {
        one.withBytes { one in other.withBytes { other in zip(one, other).map { $0 ^ $1 } } }
    }
}

/// What a server stores of a password, made here so that the password itself is in no statement.
package enum MariaDBVerifier: String, Sendable, Hashable, CaseIterable {
    case native = "mysql_native_password"
    case ed25519 = "ed25519"

    package func text(for password: borrowing Secret) throws(MariaDBFault) -> String {
        guard !password.isEmpty else { throw MariaDBFault(.badInput, "an empty password lets everybody in") }
        do throws(CryptographyFault) {
            switch self {
            case .native:
                let once = try MessageDigest.sha1.digest(of: password)
                let twice = try MessageDigest.sha1.digest(of: once)
                let digits = Array("0123456789ABCDEF".utf8)
                return "*"
                    + twice.withBytes { bytes in
                        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
                    }
            case .ed25519:
                return Self.base64(try Ed25519Password(password).publicKey)
            }
        } catch { throw MariaDBFault(.badInput, "the verifier cannot be computed") }
    }

    /// Base64 without padding (RFC 4648), as the server keeps it.
    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var output: [UInt8] = []
        var bits = 0
        var count = 0
        for byte in bytes {
            bits = (bits << 8 | Int(byte)) & 0xFFFF
            count += 8
            while count >= 6 {
                count -= 6
                output.append(alphabet[bits >> count & 63])
            }
        }
        if count > 0 { output.append(alphabet[bits << (6 - count) & 63]) }
        return String(decoding: output, as: UTF8.self)
    }
}
