/// Whose request it is by address, when proxies may stand between.
///
/// The socket peer counts, unless it is a trusted proxy. Then it is the right-most entry of all `X-Forwarded-For` lines
/// that is not a trusted proxy itself: what stands further left was written by the client and is never looked at.
package enum ClientAddress {
    /// Why no address can be told; a request without one is denied.
    package enum Denial: String, Error, Sendable {
        case missing = "a trusted proxy sent no forwarded address"
        case unparsable = "a forwarded address cannot be read"
        case allTrusted = "all forwarded addresses are trusted proxies"
        case tooLong = "too many forwarded addresses"
    }

    package static let maximumBytes = 8_192
    package static let maximumHops = 64

    /// `lines` are the values of all `X-Forwarded-For` headers in the order received.
    package static func resolve(
        peer: IPAddress, forwardedFor lines: [UnsafeRawBufferPointer], trustedProxies: AddressPolicy
    ) throws(Denial) -> IPAddress {
        guard trustedProxies.allows(peer) else { return peer }
        guard !lines.isEmpty else { throw .missing }
        guard lines.reduce(0, { $0 + $1.count }) <= maximumBytes else { throw .tooLong }
        var hops = 0
        for line in lines.reversed() {
            var end = line.count
            repeat {
                let comma = line[..<end].lastIndex(of: UInt8(ascii: ","))
                let entry = UnsafeRawBufferPointer(rebasing: line[(comma.map { $0 + 1 } ?? 0)..<end])
                hops += 1
                guard hops <= maximumHops else { throw .tooLong }
                guard let address = address(in: entry) else { throw .unparsable }
                if !trustedProxies.allows(address) { return address }
                end = comma ?? -1
            } while end >= 0
        }
        throw .allTrusted
    }

    /// For tests and tools.
    package static func resolve(
        peer: IPAddress, forwardedFor lines: [String], trustedProxies: AddressPolicy
    ) throws(Denial) -> IPAddress {
        let copies = lines.map { line in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: line.utf8.count, alignment: 1)
            copy.copyBytes(from: line.utf8)
            return copy
        }
        defer { for copy in copies { copy.deallocate() } }
        return try resolve(
            peer: peer, forwardedFor: copies.map { UnsafeRawBufferPointer($0) }, trustedProxies: trustedProxies)
    }

    /// `1.2.3.4`, `1.2.3.4:80`, `::1`, `[::1]`, `[::1]:80`, any of them in quotes, with white space around.
    static func address(in entry: UnsafeRawBufferPointer) -> IPAddress? {
        var text = trimmed(entry[...])
        if text.count >= 2, text.first == UInt8(ascii: "\""), text.last == UInt8(ascii: "\"") {
            text = text.dropFirst().dropLast()
        }
        if text.first == UInt8(ascii: "[") {
            guard let close = text.firstIndex(of: UInt8(ascii: "]")), isPort(text[(close + 1)...]) else { return nil }
            let address = IPAddress(utf8: UnsafeRawBufferPointer(rebasing: text[(text.startIndex + 1)..<close]))
            return text[..<close].contains(UInt8(ascii: ":")) ? address : nil
        }
        if let colon = text.firstIndex(of: UInt8(ascii: ":")), !text[(colon + 1)...].contains(UInt8(ascii: ":")) {
            guard isPort(text[colon...]) else { return nil }
            text = text[..<colon]
        }
        return IPAddress(utf8: UnsafeRawBufferPointer(rebasing: text))
    }

    /// Nothing, or a colon and a port number.
    private static func isPort(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard let first = text.first else { return true }
        let digits = text.dropFirst()
        guard first == UInt8(ascii: ":"), (1...5).contains(digits.count) else { return false }
        var port = 0
        for byte in digits {
            guard (0x30...0x39).contains(byte) else { return false }
            port = port * 10 + Int(byte - 0x30)
        }
        return port <= 65_535
    }

    private static func trimmed(_ text: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
        var text = text
        while let first = text.first, first == 0x20 || first == 0x09 { text = text.dropFirst() }
        while let last = text.last, last == 0x20 || last == 0x09 { text = text.dropLast() }
        return text
    }
}
