/// A mailbox as mail programs exchange it: `local@domain`, ASCII, at most 254 characters (RFC 5321, 4.5.3.1).
///
/// Quoted local parts, comments and address literals are refused: nobody types them, and they are how a second recipient gets in.
package struct EmailAddress: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    /// Nil for what is not a plain mailbox.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard text.utf8.count <= 254, parts.count == 2, let local = parts.first, let domain = parts.last,
            (1...64).contains(local.count), local.allSatisfy(Self.isAtomCharacter), !Self.hasEmptyLabel(local),
            (1...253).contains(domain.count), domain.allSatisfy(Self.isDomainCharacter), !Self.hasEmptyLabel(domain)
        else { return nil }
        self.text = text
    }

    package var description: String { text }

    private static func hasEmptyLabel(_ bytes: Substring.UTF8View.SubSequence) -> Bool {
        bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).contains { $0.isEmpty }
    }

    /// RFC 5322, 3.2.3: what an atom is made of, and the dot between atoms.
    private static func isAtomCharacter(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || ".!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
    }

    private static func isDomainCharacter(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
