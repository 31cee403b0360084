internal import Domain

/// The part of an address that one site shares: 24 bits of IPv4, 48 of IPv6. Refusals are folded by it.
struct AddressPrefix: Hashable, Sendable {
    private let family: IPAddress.Family
    /// The kept bits, right-aligned: 24 or 48 of them.
    private let bits: UInt64

    init(_ address: IPAddress) {
        family = address.family
        bits = family == .v4 ? address.low >> 8 : address.high >> 16
    }

    /// CIDR notation; IPv6 in the short form of RFC 5952.
    var text: String {
        switch family {
        case .v4: "\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255).0/24"
        case .v6:
            if bits == 0 {
                "::/48"
            } else {
                groups.reversed().drop { $0 == 0 }.reversed().map { String($0, radix: 16) }.joined(separator: ":") + "::/48"
            }
        }
    }

    private var groups: [UInt64] { [bits >> 32 & 0xFFFF, bits >> 16 & 0xFFFF, bits & 0xFFFF] }
}
