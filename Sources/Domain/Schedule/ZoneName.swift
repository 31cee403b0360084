/// The name of a time zone as the database of zones has it: `Europe/Berlin`.
package struct ZoneName: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// Nil for what cannot be a zone's name, above all what would lead out of the database's directory.
    package init?(_ text: String) {
        guard (1...64).contains(text.utf8.count) else { return nil }
        for part in text.split(separator: "/", omittingEmptySubsequences: false) {
            guard let first = part.utf8.first, first | 0x20 >= 0x61, first | 0x20 <= 0x7A, part.utf8.allSatisfy(Self.isAllowed)
            else { return nil }
        }
        description = text
    }

    private init(known text: String) { description = text }

    package static let utc = ZoneName(known: "UTC")

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"): true
        default: false
        }
    }
}
