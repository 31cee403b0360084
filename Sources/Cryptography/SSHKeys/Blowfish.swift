internal import CCrypto

/// Blowfish with the key schedule of bcrypt (Provos and Mazières, "A Future-Adaptable Password Scheme", 1999), which libcrypto lacks.
///
/// Used to read private keys that are protected in OpenSSH's way, and for nothing else. The state is wiped when it goes.
struct Blowfish: ~Copyable {
    static let roundKeys = 18
    static let boxes = 4 * 256

    // The round keys, then the four boxes. The memory belongs to this value alone.
    private let words: UnsafeMutablePointer<UInt32>

    /// The state before any key: the digits of pi.
    init() throws(CryptographyFault) {
        guard let digits = PiDigits.words, digits.count == Self.roundKeys + Self.boxes else {
            throw .badInput("no digits of pi")
        }
        words = .allocate(capacity: digits.count)
        digits.withUnsafeBufferPointer { digits in
            for index in digits.indices { (words + index).initialize(to: digits[index]) }
        }
    }

    deinit {
        OPENSSL_cleanse(words, (Self.roundKeys + Self.boxes) * 4)
        words.deallocate()
    }

    /// The costly schedule's step: mixes a key into the round keys, and salt into all that is made from them. Neither may be empty.
    mutating func expand(key: UnsafeRawBufferPointer, salt: UnsafeRawBufferPointer? = nil) {
        guard !key.isEmpty, salt.map({ !$0.isEmpty }) ?? true else { return }
        var place = 0
        for index in 0..<Self.roundKeys { words[index] ^= Self.next(key, &place) }
        place = 0
        var left: UInt32 = 0
        var right: UInt32 = 0
        var index = 0
        while index < Self.roundKeys + Self.boxes {
            if let salt {
                left ^= Self.next(salt, &place)
                right ^= Self.next(salt, &place)
            }
            encipher(&left, &right)
            words[index] = left
            words[index + 1] = right
            index += 2
        }
    }

    /// One block of 64 bits.
    @inline(__always)
    func encipher(_ left: inout UInt32, _ right: inout UInt32) {
        var a = left ^ words[0]
        var b = right
        var round = 1
        while round <= 16 {
            b ^= mixed(a) ^ words[round]
            a ^= mixed(b) ^ words[round + 1]
            round += 2
        }
        left = b ^ words[17]
        right = a
    }

    @inline(__always)
    private func mixed(_ word: UInt32) -> UInt32 {
        let box = words + Self.roundKeys
        let first = box[Int(word >> 24)] &+ box[256 + Int(word >> 16 & 0xFF)]
        return (first ^ box[512 + Int(word >> 8 & 0xFF)]) &+ box[768 + Int(word & 0xFF)]
    }

    /// The next 32 bits of bytes that are read round and round.
    @inline(__always)
    private static func next(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) -> UInt32 {
        var word: UInt32 = 0
        for _ in 0..<4 {
            word = word << 8 | UInt32(bytes[place])
            place = place + 1 == bytes.count ? 0 : place + 1
        }
        return word
    }
}

/// The fraction of pi in 32-bit words: Blowfish's constants, computed instead of copied.
enum PiDigits {
    /// The first 1,042 words; nil if libcrypto had no memory. Computed at the first use, in some tens of milliseconds.
    static let words: [UInt32]? = computed(count: Blowfish.roundKeys + Blowfish.boxes)

    /// Machin's formula, pi = 16 arctan 1/5 - 4 arctan 1/239, in fixed point with 64 bits to spare.
    private static func computed(count: Int) -> [UInt32]? {
        let spare: Int32 = 64
        let bits = Int32(count * 32) + spare
        guard let pi = BN_new() else { return nil }
        defer { BN_free(pi) }
        guard addArctangent(of: 5, times: 16, to: pi, bits: bits, isSubtracted: false),
            addArctangent(of: 239, times: 4, to: pi, bits: bits, isSubtracted: true),
            // The whole part goes, then the bits that rounding spoiled.
            BN_mask_bits(pi, bits) == 1, BN_rshift(pi, pi, spare) == 1
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: count * 4)
        guard BN_bn2binpad(pi, &bytes, Int32(bytes.count)) == Int32(bytes.count) else { return nil }
        return (0..<count).map { index in
            bytes[(index * 4)..<(index * 4 + 4)].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    /// Adds `factor` × arctan(1 / x) = factor × (1/x - 1/3x³ + 1/5x⁵ - …) to a sum that is scaled by 2^bits.
    private static func addArctangent(of x: UInt, times factor: UInt, to sum: OpaquePointer, bits: Int32, isSubtracted: Bool)
        -> Bool
    {
        guard let power = BN_new(), let term = BN_new() else { return false }
        defer {
            BN_free(power)
            BN_free(term)
        }
        guard BN_set_bit(power, bits) == 1, BN_mul_word(power, UInt(factor)) == 1 else { return false }
        guard BN_div_word(power, UInt(x)) != UInt.max else { return false }
        var divisor: UInt = 1
        var isNegative = isSubtracted
        while BN_is_zero(power) == 0 {
            guard BN_copy(term, power) != nil, BN_div_word(term, divisor) != UInt.max else { return false }
            guard (isNegative ? BN_sub(sum, sum, term) : BN_add(sum, sum, term)) == 1 else { return false }
            guard BN_div_word(power, UInt(x * x)) != UInt.max else { return false }
            divisor += 2
            isNegative.toggle()
        }
        return true
    }
}
