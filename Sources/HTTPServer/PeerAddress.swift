import CHTTPShim
import Glibc

/// The address at the other end of a socket; an IPv4-mapped IPv6 address is its IPv4 address.
package struct PeerAddress: Hashable, Sendable {
    /// The 128 bits in network order; an IPv4 address stands in the low 32 bits of `low`.
    package let high: UInt64
    package let low: UInt64
    package let isIPv4: Bool

    package init(ipv4: UInt32) {
        self.init(high: 0, low: UInt64(ipv4), isIPv4: true)
    }

    private init(high: UInt64, low: UInt64, isIPv4: Bool) {
        self.high = high
        self.low = low
        self.isIPv4 = isIPv4
    }

    package init(ipv6High high: UInt64, low: UInt64) {
        if high == 0, low >> 32 == 0xffff {
            self.init(ipv4: UInt32(truncatingIfNeeded: low))
        } else {
            self.init(high: high, low: low, isIPv4: false)
        }
    }

    /// What one subscriber has: an IPv4 address, or the 64-bit prefix of an IPv6 address.
    var subscriber: PeerAddress { isIPv4 ? self : PeerAddress(high: high, low: 0, isIPv4: false) }

    /// The address of an accepted socket, or nil for another family.
    init?(_ address: UnsafePointer<sockaddr>, length: socklen_t) {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET where Int(length) >= MemoryLayout<sockaddr_in>.size:
            let offset = MemoryLayout<sockaddr_in>.offset(of: \.sin_addr) ?? 4
            self.init(ipv4: UInt32(bigEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        case AF_INET6 where Int(length) >= MemoryLayout<sockaddr_in6>.size:
            let offset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) ?? 8
            self.init(
                ipv6High: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
                low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)))
        default:
            return nil
        }
    }

    /// Reads the usual text form of an IPv4 or IPv6 address.
    package init?(text: String) {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(ipv4: UInt32(bigEndian: four.s_addr))
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        self = withUnsafeBytes(of: &six) {
            PeerAddress(
                ipv6High: UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        }
    }

    /// The address in network order: 4 or 16 bytes.
    package var octets: [UInt8] {
        let words = isIPv4 ? [] : withUnsafeBytes(of: high.bigEndian, Array.init)
        let tail = withUnsafeBytes(of: low.bigEndian, Array.init)
        return isIPv4 ? Array(tail.suffix(4)) : words + tail
    }
}

extension PeerAddress: CustomStringConvertible {
    package var description: String {
        var bytes = octets
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(isIPv4 ? AF_INET : AF_INET6, &bytes, &text, socklen_t(text.count)) != nil else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
