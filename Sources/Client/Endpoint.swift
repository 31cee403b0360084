/// Where a server is: scheme, host and port, and the path below which its API begins.
package struct Endpoint: Sendable, Equatable {
    /// Such as `https://vault.example:8443`.
    package let origin: String
    /// Empty, or such as `/keyturn`.
    package let path: String

    /// From `https://host[:port][/path]`, with or without a slash at its end.
    package init(_ text: String) throws(ClientError) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains(where: { "?#@\\\"<>".contains($0) }) else {
            throw ClientError(.invalidConfiguration, "the server's URL has characters that it must not have")
        }
        guard text.lowercased().hasPrefix("https://") else {
            throw ClientError(.invalidConfiguration, "the server's URL must begin with https://")
        }
        let rest = text.dropFirst("https://".count)
        let host = rest.prefix { $0 != "/" }
        guard !host.isEmpty, !host.hasPrefix(":") else {
            throw ClientError(.invalidConfiguration, "the server's URL names no host")
        }
        origin = "https://" + host
        var path = String(rest.dropFirst(host.count))
        while path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    /// The request target of an API path with a query, exactly as it goes over the wire and is signed.
    package func target(_ path: String, query: [(name: String, value: String)] = []) -> String {
        let pairs = query.map { PercentEncoding.encode($0.name) + "=" + PercentEncoding.encode($0.value) }
        return self.path + path + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
    }

    package var text: String { origin + path }
}

/// Percent-encoding of a part of a URL (RFC 3986, 2.1): all but the unreserved characters.
package enum PercentEncoding {
    package static func encode(_ text: String) -> String {
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.append(byte)
            default:
                encoded += [UInt8(ascii: "%"), hexDigit(byte >> 4), hexDigit(byte & 15)]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
