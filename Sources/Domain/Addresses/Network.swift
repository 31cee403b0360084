/// A block of addresses that share their first bits (CIDR, RFC 4632).
package struct Network: Hashable, Sendable {
    /// The first address; its bits behind the prefix are zero.
    package let address: IPAddress
    package let prefixLength: Int

    /// Nil if the prefix is longer than the address or a host bit is set.
    package init?(address: IPAddress, prefixLength: Int) {
        let width = address.family == .v4 ? 32 : 128
        guard (0...width).contains(prefixLength) else { return nil }
        let bits = UInt128(address.high) << 64 | UInt128(address.low)
        guard prefixLength == width || bits & Self.hostMask(width - prefixLength) == 0 else { return nil }
        self.address = address
        self.prefixLength = prefixLength
    }

    /// Reads `address/length`. A block of IPv4-mapped IPv6 addresses is held as the IPv4 block that it stands for.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]), let length = Self.length(parts[1]) else { return nil }
        let isMapped = address.family == .v4 && parts[0].utf8.contains(UInt8(ascii: ":"))
        self.init(address: address, prefixLength: isMapped ? length - 96 : length)
    }

    /// The last address.
    package var last: IPAddress {
        let host = Self.hostMask((address.family == .v4 ? 32 : 128) - prefixLength)
        guard address.family == .v6 else { return IPAddress(v4: UInt32(truncatingIfNeeded: address.low | UInt64(host))) }
        return IPAddress(
            v6: address.high | UInt64(truncatingIfNeeded: host >> 64), address.low | UInt64(truncatingIfNeeded: host))
    }

    package func contains(_ other: IPAddress) -> Bool {
        other.family == address.family && address <= other && other <= last
    }

    private static func hostMask(_ bits: Int) -> UInt128 {
        bits == 0 ? 0 : UInt128.max >> UInt128(128 - bits)
    }

    /// One to three digits without a leading zero.
    private static func length(_ text: some StringProtocol) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            text.utf8.count == 1 || text.utf8.first != 0x30
        else { return nil }
        return Int(text)
    }
}

extension Network: CustomStringConvertible {
    package var description: String { "\(address)/\(prefixLength)" }
}
