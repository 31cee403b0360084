/// From where something may be used: a list of `*`, single addresses, networks (`a/n`) and ranges (`a-b`), compiled.
///
/// An empty list allows nothing. Entries are compared as addresses, never as text; an IPv4 entry never matches an IPv6 client.
package struct AddressPolicy: Sendable, Equatable {
    package static let maximumEntries = 10_000
    package static let maximumEntryLength = 1_024

    private let allowsAll: Bool
    /// Sorted by their first address, disjoint.
    private let ranges: [AddressRange]

    /// Throws which entry is wrong and how.
    package init(_ entries: [String]) throws(AddressPolicyFault) {
        guard entries.count <= Self.maximumEntries else {
            throw AddressPolicyFault(.tooMany, index: Self.maximumEntries, entry: "")
        }
        var all = false
        var ranges: [AddressRange] = []
        for (index, entry) in entries.enumerated() {
            guard entry.unicodeScalars.count <= Self.maximumEntryLength else {
                throw AddressPolicyFault(.tooLong, index: index, entry: "")
            }
            if entry == "*" {
                all = true
            } else {
                do throws(AddressPolicyFault.Kind) {
                    ranges.append(try AddressRange(entry))
                } catch {
                    throw AddressPolicyFault(error, index: index, entry: entry)
                }
            }
        }
        allowsAll = all
        self.ranges = AddressRange.merged(ranges)
    }

    private init(allowsAll: Bool) {
        self.allowsAll = allowsAll
        ranges = []
    }

    package static let everywhere = AddressPolicy(allowsAll: true)
    package static let nowhere = AddressPolicy(allowsAll: false)

    package func allows(_ address: IPAddress) -> Bool {
        if allowsAll { return true }
        // The first range that begins behind the address; only the one before it can hold it.
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].first <= address { low = middle + 1 } else { high = middle }
        }
        return low > 0 && address <= ranges[low - 1].last
    }
}

/// What is wrong with an entry of an address list.
package struct AddressPolicyFault: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: String, Error, Sendable {
        case malformed = "is not *, an address, a network or a range"
        case hostBits = "is not a network: bits behind the prefix are set, or the prefix is too long"
        case mixedFamilies = "is a range from one address family into the other"
        case tooLong = "is longer than 1024 characters"
        case tooMany = "is one too many: at most 10000 entries"
    }

    package let kind: Kind
    /// Place in the list, counted from zero.
    package let index: Int
    /// The entry, or nothing if it could be something else that went astray.
    package let entry: String

    init(_ kind: Kind, index: Int, entry: String) {
        self.kind = kind
        self.index = index
        let isPlain = entry.utf8.count <= 96 && entry.utf8.allSatisfy { "0123456789abcdefABCDEF.:/-*%".utf8.contains($0) }
        self.entry = isPlain ? entry : ""
    }

    package var description: String {
        entry.isEmpty ? "Entry \(index + 1) \(kind.rawValue)." : "Entry \(index + 1), \"\(entry)\", \(kind.rawValue)."
    }
}

/// All addresses from `first` to `last` of one family.
struct AddressRange: Sendable, Equatable {
    var first: IPAddress
    var last: IPAddress

    init(_ text: String) throws(AddressPolicyFault.Kind) {
        if text.utf8.contains(UInt8(ascii: "/")) {
            guard let network = Network(text) else {
                let address = text.split(separator: "/", omittingEmptySubsequences: false).first.flatMap { IPAddress($0) }
                throw address == nil ? .malformed : .hostBits
            }
            (first, last) = (network.address, network.last)
        } else if text.utf8.contains(UInt8(ascii: "-")) {
            let ends = text.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count == 2, let a = IPAddress(Self.trimmed(ends[0])), let b = IPAddress(Self.trimmed(ends[1])) else {
                throw .malformed
            }
            guard a.family == b.family else { throw .mixedFamilies }
            (first, last) = (min(a, b), max(a, b))
        } else {
            guard let address = IPAddress(text) else { throw .malformed }
            (first, last) = (address, address)
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }

    /// Sorted, with overlapping ranges joined.
    static func merged(_ ranges: [AddressRange]) -> [AddressRange] {
        var merged: [AddressRange] = []
        for range in ranges.sorted(by: { $0.first < $1.first }) {
            if let open = merged.last, open.last.family == range.first.family, range.first <= open.last {
                merged[merged.count - 1].last = max(open.last, range.last)
            } else {
                merged.append(range)
            }
        }
        return merged
    }
}
