internal import CCrypto

/// A private key in libcrypto's hands; freed, and wiped by the library, when the last reference goes. Immutable after `init`.
final class PrivateKeyHandle {
    let pointer: OpaquePointer

    /// Takes over a key that libcrypto made.
    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    // MARK: - Made

    static func generated(_ kind: SSHKeyKind) throws(CryptographyFault) -> PrivateKeyHandle {
        switch kind {
        case .ed25519: try generated(EVP_PKEY_ED25519) { _ in 1 }
        case .ecdsaP256: try generated(EVP_PKEY_EC) { EVP_PKEY_CTX_set_ec_paramgen_curve_nid($0, NID_X9_62_prime256v1) }
        case .rsa3072: try generated(EVP_PKEY_RSA) { EVP_PKEY_CTX_set_rsa_keygen_bits($0, 3072) }
        case .rsa4096: try generated(EVP_PKEY_RSA) { EVP_PKEY_CTX_set_rsa_keygen_bits($0, 4096) }
        case .ecdsaP384, .ecdsaP521, .rsa: throw .badInput("a kind that is only read")
        }
    }

    private static func generated(
        _ type: Int32, _ prepare: (OpaquePointer) -> Int32
    ) throws(CryptographyFault) -> PrivateKeyHandle {
        guard let context = EVP_PKEY_CTX_new_id(type, nil) else { throw libraryFault("EVP_PKEY_CTX_new_id") }
        defer { EVP_PKEY_CTX_free(context) }
        try check(EVP_PKEY_keygen_init(context), "EVP_PKEY_keygen_init")
        try check(prepare(context), "EVP_PKEY_keygen parameters")
        var key: OpaquePointer?
        try check(EVP_PKEY_keygen(context, &key), "EVP_PKEY_keygen")
        guard let key else { throw libraryFault("EVP_PKEY_keygen") }
        return PrivateKeyHandle(owning: key)
    }

    // MARK: - From numbers

    static func ed25519(seed: UnsafeRawBufferPointer) throws(CryptographyFault) -> PrivateKeyHandle {
        let start = seed.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, start, seed.count) else {
            throw libraryFault("EVP_PKEY_new_raw_private_key")
        }
        return PrivateKeyHandle(owning: key)
    }

    static func elliptic(
        _ curve: SSHCurve, point: UnsafeRawBufferPointer, scalar: UnsafeRawBufferPointer
    ) throws(CryptographyFault) -> PrivateKeyHandle {
        let parameters = try KeyParameters()
        try parameters.add(text: curve.group, as: OSSL_PKEY_PARAM_GROUP_NAME)
        try parameters.add(octets: point, as: OSSL_PKEY_PARAM_PUB_KEY)
        try parameters.add(BigNumber(scalar), as: OSSL_PKEY_PARAM_PRIV_KEY)
        return try parameters.key(of: "EC")
    }

    static func rsa(_ numbers: RSANumbers) throws(CryptographyFault) -> PrivateKeyHandle {
        let parameters = try KeyParameters()
        try parameters.add(numbers.modulus, as: OSSL_PKEY_PARAM_RSA_N)
        try parameters.add(numbers.publicExponent, as: OSSL_PKEY_PARAM_RSA_E)
        try parameters.add(numbers.privateExponent, as: OSSL_PKEY_PARAM_RSA_D)
        try parameters.add(numbers.firstPrime, as: RSAParameter.factor1)
        try parameters.add(numbers.secondPrime, as: RSAParameter.factor2)
        try parameters.add(
            numbers.privateExponent.remainder(byOneLessThan: numbers.firstPrime), as: RSAParameter.exponent1)
        try parameters.add(
            numbers.privateExponent.remainder(byOneLessThan: numbers.secondPrime), as: RSAParameter.exponent2)
        try parameters.add(numbers.coefficient, as: RSAParameter.coefficient)
        return try parameters.key(of: "RSA")
    }

    // MARK: - Asked

    /// Whether its numbers are in range and belong together.
    var isSound: Bool {
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil) else { return false }
        defer {
            EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        return EVP_PKEY_check(context) == 1
    }

    /// Whether its public half is these bytes; for keys that are bytes and not numbers.
    func hasPublic(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var own = [UInt8](repeating: 0, count: bytes.count)
        var length = own.count
        guard EVP_PKEY_get_raw_public_key(pointer, &own, &length) == 1 else {
            ERR_clear_error()
            return false
        }
        return own.prefix(length).elementsEqual(bytes)
    }

    func number(_ name: String) throws(CryptographyFault) -> BigNumber {
        var number: OpaquePointer?
        try check(EVP_PKEY_get_bn_param(pointer, name, &number), "EVP_PKEY_get_bn_param")
        guard let number else { throw libraryFault("EVP_PKEY_get_bn_param") }
        return BigNumber(owning: number)
    }

    var group: String? {
        var name = [CChar](repeating: 0, count: 64)
        var length = 0
        guard EVP_PKEY_get_group_name(pointer, &name, name.count, &length) == 1 else {
            ERR_clear_error()
            return nil
        }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// The numbers of an RSA key as OpenSSH keeps them.
struct RSANumbers {
    let modulus, publicExponent, privateExponent, coefficient, firstPrime, secondPrime: BigNumber
}

/// A number of any length; wiped when it goes.
final class BigNumber {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    /// From bytes, most significant first.
    init(_ bytes: UnsafeRawBufferPointer) throws(CryptographyFault) {
        guard let count = Int32(exactly: bytes.count), count <= 4096,
            let number = BN_bin2bn(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), count, nil)
        else { throw libraryFault("BN_bin2bn") }
        pointer = number
    }

    deinit { BN_clear_free(pointer) }

    var bitCount: Int { Int(BN_num_bits(pointer)) }

    /// Its bytes, most significant first, filled up with zeros to `count` where that is given.
    func bytes(count: Int? = nil) throws(CryptographyFault) -> Secret {
        let count = count ?? (bitCount + 7) / 8
        return try Secret(capacity: count) { (place) throws(CryptographyFault) in
            let start = place.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard BN_bn2binpad(pointer, start, Int32(clamping: count)) == Int32(clamping: count) else {
                throw libraryFault("BN_bn2binpad")
            }
            return count
        }
    }

    func remainder(byOneLessThan prime: BigNumber) throws(CryptographyFault) -> BigNumber {
        guard let context = BN_CTX_secure_new(), let divisor = BN_dup(prime.pointer), let output = BN_new() else {
            throw libraryFault("BN_CTX_secure_new")
        }
        let remainder = BigNumber(owning: output)
        defer {
            BN_clear_free(divisor)
            BN_CTX_free(context)
        }
        try check(BN_sub_word(divisor, 1), "BN_sub_word")
        try check(BN_div(nil, remainder.pointer, pointer, divisor, context), "BN_div")
        return remainder
    }
}

/// What libcrypto makes a key from. The library copies neither names nor numbers before the key is made, so they are held here.
private final class KeyParameters {
    private let builder: OpaquePointer
    private var numbers: [BigNumber] = []
    private var texts: [UnsafeMutablePointer<CChar>] = []

    init() throws(CryptographyFault) {
        guard let builder = OSSL_PARAM_BLD_new() else { throw libraryFault("OSSL_PARAM_BLD_new") }
        self.builder = builder
    }

    deinit {
        OSSL_PARAM_BLD_free(builder)
        for text in texts { CRYPTO_free(text, nil, 0) }
    }

    func add(_ number: BigNumber, as name: String) throws(CryptographyFault) {
        numbers.append(number)
        try check(OSSL_PARAM_BLD_push_BN(builder, held(name), number.pointer), "OSSL_PARAM_BLD_push_BN")
    }

    func add(text: String, as name: String) throws(CryptographyFault) {
        try check(OSSL_PARAM_BLD_push_utf8_string(builder, held(name), held(text), 0), "OSSL_PARAM_BLD_push_utf8_string")
    }

    /// The octets must stay where they are until the key is made.
    func add(octets: UnsafeRawBufferPointer, as name: String) throws(CryptographyFault) {
        try check(
            OSSL_PARAM_BLD_push_octet_string(builder, held(name), octets.baseAddress, octets.count),
            "OSSL_PARAM_BLD_push_octet_string")
    }

    func key(of algorithm: String) throws(CryptographyFault) -> PrivateKeyHandle {
        guard let parameters = OSSL_PARAM_BLD_to_param(builder) else { throw libraryFault("OSSL_PARAM_BLD_to_param") }
        defer { OSSL_PARAM_free(parameters) }
        guard let context = EVP_PKEY_CTX_new_from_name(nil, algorithm, nil) else {
            throw libraryFault("EVP_PKEY_CTX_new_from_name")
        }
        defer { EVP_PKEY_CTX_free(context) }
        try check(EVP_PKEY_fromdata_init(context), "EVP_PKEY_fromdata_init")
        var key: OpaquePointer?
        try check(EVP_PKEY_fromdata(context, &key, wholeKeyPair, parameters), "EVP_PKEY_fromdata")
        guard let key else { throw libraryFault("EVP_PKEY_fromdata") }
        return PrivateKeyHandle(owning: key)
    }

    private func held(_ text: String) throws(CryptographyFault) -> UnsafeMutablePointer<CChar> {
        guard let copy = CRYPTO_strdup(text, nil, 0) else { throw libraryFault("CRYPTO_strdup") }
        texts.append(copy)
        return copy
    }
}

/// `EVP_PKEY_KEYPAIR`: private and public key with their parameters; a macro that Swift does not import.
private let wholeKeyPair: Int32 = 0x87

/// Names of RSA parameters that the library puts together in macros, which Swift does not import.
enum RSAParameter {
    static let factor1 = "rsa-factor1"
    static let factor2 = "rsa-factor2"
    static let factor3 = "rsa-factor3"
    static let exponent1 = "rsa-exponent1"
    static let exponent2 = "rsa-exponent2"
    static let coefficient = "rsa-coefficient1"
}
