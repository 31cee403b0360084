internal import CCrypto

/// An Ed25519 key made from a password of any length, as MariaDB's plugin `ed25519` does it: where RFC 8032 hashes a seed of 32 bytes,
/// here the password itself is hashed. OpenSSL takes no such key, so the arithmetic is done here on its big numbers.
///
/// Every scalar takes the same sequence of additions, whatever its bits are; the additions themselves are OpenSSL's.
package final class Ed25519Password {
    private let curve: Curve
    /// The clamped scalar and the prefix of nonces (RFC 8032, 5.1.5).
    private let expanded: Secret
    /// What a server stores.
    package let publicKey: [UInt8]

    package init(_ password: borrowing Secret) throws(CryptographyFault) {
        let curve = try Curve()
        let hash = try MessageDigest.sha512.digest(of: password)
        expanded = hash.withBytes { bytes in
            Secret(capacity: 64) { output in
                output.copyMemory(from: bytes)
                output[0] &= 0xF8
                output[31] = output[31] & 0x7F | 0x40
                return 64
            }
        }
        let scalar = try expanded.withBytes { (bytes) throws(CryptographyFault) in
            try Number(littleEndian: UnsafeRawBufferPointer(rebasing: bytes[..<32]))
        }
        publicKey = try curve.encoded(curve.multiplied(scalar))
        self.curve = curve
    }

    /// The 64-byte signature of a message (RFC 8032, 5.1.6).
    package func signature(for message: [UInt8]) throws(CryptographyFault) -> [UInt8] {
        var prefix = expanded.withBytes { Array($0[32...]) }
        defer { ConstantTime.wipe(&prefix) }
        let nonce = try curve.reduced(hashing: prefix + message)
        let point = try curve.encoded(curve.multiplied(nonce))
        let challenge = try curve.reduced(hashing: point + publicKey + message)
        let scalar = try expanded.withBytes { (bytes) throws(CryptographyFault) in
            try Number(littleEndian: UnsafeRawBufferPointer(rebasing: bytes[..<32]))
        }
        return try point + curve.sum(nonce, challenge, scalar).bytes
    }
}

/// A number of OpenSSL's, wiped when freed.
private final class Number {
    let pointer: OpaquePointer

    init() throws(CryptographyFault) {
        guard let made = BN_secure_new() ?? BN_new() else { throw libraryFault("BN_new") }
        pointer = made
    }

    convenience init(littleEndian bytes: UnsafeRawBufferPointer) throws(CryptographyFault) {
        try self.init()
        guard BN_lebin2bn(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(bytes.count), pointer) != nil else {
            throw libraryFault("BN_lebin2bn")
        }
    }

    convenience init(hexadecimal text: String) throws(CryptographyFault) {
        try self.init()
        var target: OpaquePointer? = pointer
        guard BN_hex2bn(&target, text) > 0 else { throw libraryFault("BN_hex2bn") }
    }

    deinit { BN_clear_free(pointer) }

    /// 32 bytes, the lowest first.
    var bytes: [UInt8] {
        get throws(CryptographyFault) {
            var output = [UInt8](repeating: 0, count: 32)
            guard BN_bn2lebinpad(pointer, &output, 32) == 32 else { throw libraryFault("BN_bn2lebinpad") }
            return output
        }
    }

    func bit(_ index: Int32) -> Bool { BN_is_bit_set(pointer, index) == 1 }
}

/// A point in extended coordinates: x = X/Z, y = Y/Z, xy = T/Z (RFC 8032, 5.1.4).
private struct Point {
    let x: Number
    let y: Number
    let z: Number
    let t: Number
}

/// The twisted Edwards curve of RFC 8032, 5.1.
private final class Curve {
    private let context: OpaquePointer
    private let prime: Number
    private let order: Number
    private let doubledD: Number
    private let base: Point
    private let neutral: Point

    init() throws(CryptographyFault) {
        guard let context = BN_CTX_new() else { throw libraryFault("BN_CTX_new") }
        self.context = context
        prime = try Number(hexadecimal: "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFED")
        order = try Number(hexadecimal: "1000000000000000000000000000000014DEF9DEA2F79CD65812631A5CF5D3ED")
        doubledD = try Number(hexadecimal: "2406D9DC56DFFCE7198E80F2EEF3D13000E0149A8283B156EBD69B9426B2F159")
        let x = try Number(hexadecimal: "216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A")
        let y = try Number(hexadecimal: "6666666666666666666666666666666666666666666666666666666666666658")
        let product = try Number()
        try check(BN_mod_mul(product.pointer, x.pointer, y.pointer, prime.pointer, context), "BN_mod_mul")
        base = Point(x: x, y: y, z: try Number(hexadecimal: "1"), t: product)
        neutral = Point(
            x: try Number(hexadecimal: "0"), y: try Number(hexadecimal: "1"), z: try Number(hexadecimal: "1"),
            t: try Number(hexadecimal: "0"))
    }

    deinit { BN_CTX_free(context) }

    private func times(_ a: Number, _ b: Number) throws(CryptographyFault) -> Number {
        let result = try Number()
        try check(BN_mod_mul(result.pointer, a.pointer, b.pointer, prime.pointer, context), "BN_mod_mul")
        return result
    }

    private func plus(_ a: Number, _ b: Number) throws(CryptographyFault) -> Number {
        let result = try Number()
        try check(BN_mod_add(result.pointer, a.pointer, b.pointer, prime.pointer, context), "BN_mod_add")
        return result
    }

    private func minus(_ a: Number, _ b: Number) throws(CryptographyFault) -> Number {
        let result = try Number()
        try check(BN_mod_sub(result.pointer, a.pointer, b.pointer, prime.pointer, context), "BN_mod_sub")
        return result
    }

    /// The sum of any two points, also of a point with itself (RFC 8032, 5.1.4).
    private func sum(_ p: Point, _ q: Point) throws(CryptographyFault) -> Point {
        let a = try times(minus(p.y, p.x), minus(q.y, q.x))
        let b = try times(plus(p.y, p.x), plus(q.y, q.x))
        let c = try times(times(p.t, doubledD), q.t)
        let zz = try times(p.z, q.z)
        let d = try plus(zz, zz)
        let e = try minus(b, a)
        let f = try minus(d, c)
        let g = try plus(d, c)
        let h = try plus(b, a)
        return Point(x: try times(e, f), y: try times(g, h), z: try times(f, g), t: try times(e, h))
    }

    /// The base point times a scalar, by a ladder that adds twice for every bit.
    func multiplied(_ scalar: Number) throws(CryptographyFault) -> Point {
        var low = neutral
        var high = base
        for index in stride(from: Int32(255), through: 0, by: -1) {
            let both = try sum(low, high)
            let isSet = scalar.bit(index)
            let doubled = try sum(isSet ? high : low, isSet ? high : low)
            low = isSet ? both : doubled
            high = isSet ? doubled : both
        }
        return low
    }

    /// A point as 32 bytes: y, and the lowest bit of x at the top (RFC 8032, 5.1.2).
    func encoded(_ point: Point) throws(CryptographyFault) -> [UInt8] {
        let inverse = try Number()
        guard BN_mod_inverse(inverse.pointer, point.z.pointer, prime.pointer, context) != nil else {
            throw libraryFault("BN_mod_inverse")
        }
        var bytes = try times(point.y, inverse).bytes
        if try times(point.x, inverse).bit(0) { bytes[31] |= 0x80 }
        return bytes
    }

    /// The SHA-512 of bytes as a scalar.
    func reduced(hashing bytes: [UInt8]) throws(CryptographyFault) -> Number {
        let empty = Secret(copying: UnsafeRawBufferPointer(start: nil, count: 0))
        let hash = try MessageDigest.sha512.digest(bytes, and: empty)
        let number = try hash.withBytes { (hash) throws(CryptographyFault) in try Number(littleEndian: hash) }
        let result = try Number()
        try check(BN_nnmod(result.pointer, number.pointer, order.pointer, context), "BN_nnmod")
        return result
    }

    /// `nonce + challenge · scalar`, modulo the order.
    func sum(_ nonce: Number, _ challenge: Number, _ scalar: Number) throws(CryptographyFault) -> Number {
        let product = try Number()
        try check(BN_mod_mul(product.pointer, challenge.pointer, scalar.pointer, order.pointer, context), "BN_mod_mul")
        let result = try Number()
        try check(BN_mod_add(result.pointer, nonce.pointer, product.pointer, order.pointer, context), "BN_mod_add")
        return result
    }
}
