internal import Cryptography
internal import Domain

/// What is kept of a password: scrypt's parameters, a salt and the derived bytes (RFC 7914). Stored sealed.
///
/// 1 byte form, 1 byte log2 of cost, 1 byte block size, 1 byte parallelism, 16 bytes salt, 32 bytes derived.
struct PasswordVerifier: Sendable, Equatable {
    let parameters: Scrypt
    let salt: [UInt8]
    let derived: [UInt8]

    private static let form: UInt8 = 1
    private static let saltByteCount = 16

    /// Runs scrypt once, so it takes as long as a check.
    init(for password: borrowing Secret, parameters: Scrypt = .interactive) throws {
        let salt = try SecureRandom.bytes(count: Self.saltByteCount)
        self.parameters = parameters
        self.salt = salt
        derived = try Self.derive(password, parameters, salt)
    }

    init?(bytes: [UInt8]) {
        guard bytes.count == 4 + Self.saltByteCount + 32, bytes[0] == Self.form, (1...24).contains(bytes[1]) else { return nil }
        parameters = Scrypt(cost: 1 << UInt64(bytes[1]), blockSize: UInt64(bytes[2]), parallelism: UInt64(bytes[3]))
        salt = Array(bytes[4..<(4 + Self.saltByteCount)])
        derived = Array(bytes[(4 + Self.saltByteCount)...])
    }

    var bytes: [UInt8] {
        let log = UInt8(clamping: parameters.cost.trailingZeroBitCount)
        return [Self.form, log, UInt8(clamping: parameters.blockSize), UInt8(clamping: parameters.parallelism)] + salt + derived
    }

    func matches(_ password: borrowing Secret) -> Bool {
        guard let candidate = try? Self.derive(password, parameters, salt) else { return false }
        return ConstantTime.areEqual(candidate, derived)
    }

    private static func derive(_ password: borrowing Secret, _ parameters: Scrypt, _ salt: [UInt8]) throws -> [UInt8] {
        let bytes = try password.withBytes { try parameters.derive(from: $0, salt: salt) }
        return bytes.withBytes { Array($0) }
    }
}
