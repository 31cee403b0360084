/// An IPv4 or IPv6 address; an IPv4-mapped IPv6 address is held as the IPv4 address that it stands for.
package struct IPAddress: Hashable, Sendable, Comparable {
    package enum Family: UInt8, Sendable { case v4 = 4, v6 = 6 }

    package let family: Family
    /// The upper 64 bits of an IPv6 address; 0 for IPv4.
    package let high: UInt64
    /// The lower 64 bits of an IPv6 address, or the 32 bits of an IPv4 address.
    package let low: UInt64

    /// An IPv4 address from its 32 bits, most significant octet first.
    package init(v4 bits: UInt32) {
        family = .v4
        high = 0
        low = UInt64(bits)
    }

    /// An IPv6 address from its two halves; `::ffff:a.b.c.d` becomes the IPv4 address.
    package init(v6 high: UInt64, _ low: UInt64) {
        if high == 0, low >> 32 == 0xFFFF {
            self = IPAddress(v4: UInt32(truncatingIfNeeded: low))
            return
        }
        family = .v6
        self.high = high
        self.low = low
    }

    package static func < (a: Self, b: Self) -> Bool {
        if a.family != b.family { return a.family.rawValue < b.family.rawValue }
        return a.high == b.high ? a.low < b.low : a.high < b.high
    }
}
