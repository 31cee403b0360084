import Domain
import TestSupport
import Testing

@Suite("ClientAddress")
struct ClientAddressTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        let peer: String
        let lines: [String]
        let expected: Result<String, ClientAddress.Denial>

        init(_ peer: String, _ lines: [String], _ address: String) {
            (self.peer, self.lines, expected) = (peer, lines, .success(address))
        }

        init(_ peer: String, _ lines: [String], denied: ClientAddress.Denial) {
            (self.peer, self.lines, expected) = (peer, lines, .failure(denied))
        }

        var testDescription: String { "\(peer) \(lines)" }
    }

    /// Trusted: 10.0.0.0/8 and fd00::/8.
    static let shapes: [Shape] = [
        // Straight from the client: the header is never looked at.
        Shape("203.0.113.9", [], "203.0.113.9"),
        Shape("203.0.113.9", ["1.2.3.4"], "203.0.113.9"),
        Shape("203.0.113.9", ["10.0.0.1, 127.0.0.1"], "203.0.113.9"),
        Shape("203.0.113.9", ["garbage"], "203.0.113.9"),
        Shape("2001:db8::9", ["1.2.3.4"], "2001:db8::9"),
        Shape("::ffff:203.0.113.9", ["1.2.3.4"], "203.0.113.9"),
        // One proxy.
        Shape("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        Shape("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        Shape("fd00::1", ["203.0.113.9"], "203.0.113.9"),
        Shape("10.0.0.1", ["2001:db8::9"], "2001:db8::9"),
        Shape("10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        Shape("10.0.0.1", ["  203.0.113.9\t"], "203.0.113.9"),
        Shape("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        Shape("10.0.0.1", ["[2001:db8::9]"], "2001:db8::9"),
        Shape("10.0.0.1", ["[2001:db8::9]:443"], "2001:db8::9"),
        Shape("10.0.0.1", ["\"[2001:db8::9]:443\""], "2001:db8::9"),
        Shape("10.0.0.1", ["\"203.0.113.9\""], "203.0.113.9"),
        // What the client wrote stands to the left and is not believed.
        Shape("10.0.0.1", ["1.2.3.4, 203.0.113.9"], "203.0.113.9"),
        Shape("10.0.0.1", ["1.2.3.4,203.0.113.9"], "203.0.113.9"),
        Shape("10.0.0.1", ["127.0.0.1, 10.0.0.7, 203.0.113.9"], "203.0.113.9"),
        Shape("10.0.0.1", ["garbage, , 203.0.113.9"], "203.0.113.9"),
        Shape("10.0.0.1", [String(repeating: "x", count: 4_000) + ",203.0.113.9"], "203.0.113.9"),
        // Chains of proxies.
        Shape("10.0.0.1", ["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        Shape("10.0.0.1", ["1.2.3.4, 203.0.113.9, fd00::2, 10.0.0.2"], "203.0.113.9"),
        Shape("10.0.0.1", ["203.0.113.9, [fd00::2]:80, 10.0.0.2:8080"], "203.0.113.9"),
        // Several lines are one list.
        Shape("10.0.0.1", ["1.2.3.4", "203.0.113.9"], "203.0.113.9"),
        Shape("10.0.0.1", ["203.0.113.9", "10.0.0.2"], "203.0.113.9"),
        Shape("10.0.0.1", ["1.2.3.4, 203.0.113.9", "10.0.0.3, 10.0.0.2"], "203.0.113.9"),
        // Nothing that can be believed.
        Shape("10.0.0.1", [], denied: .missing),
        Shape("10.0.0.1", [""], denied: .unparsable),
        Shape("10.0.0.1", [" "], denied: .unparsable),
        Shape("10.0.0.1", ["203.0.113.9,"], denied: .unparsable),
        Shape("10.0.0.1", ["203.0.113.9", ""], denied: .unparsable),
        Shape("10.0.0.1", ["203.0.113.9, unknown"], denied: .unparsable),
        Shape("10.0.0.1", ["203.0.113.9, _hidden"], denied: .unparsable),
        Shape("10.0.0.1", ["203.0.113.9, proxy.example"], denied: .unparsable),
        Shape("10.0.0.1", ["203.0.113.9:"], denied: .unparsable),
        Shape("10.0.0.1", ["203.0.113.9:99999"], denied: .unparsable),
        Shape("10.0.0.1", ["203.0.113.9:8a"], denied: .unparsable),
        Shape("10.0.0.1", ["[203.0.113.9]"], denied: .unparsable),
        Shape("10.0.0.1", ["[2001:db8::9"], denied: .unparsable),
        Shape("10.0.0.1", ["[2001:db8::9]x"], denied: .unparsable),
        Shape("10.0.0.1", ["fe80::1%eth0"], denied: .unparsable),
        Shape("10.0.0.1", ["\"203.0.113.9"], denied: .unparsable),
        Shape("10.0.0.1", ["203.0.113.9;proto=https"], denied: .unparsable),
        Shape("10.0.0.1", ["for=203.0.113.9"], denied: .unparsable),
        Shape("10.0.0.1", ["0203.0.113.9"], denied: .unparsable),
        Shape("10.0.0.1", ["203.0.113.9 10.0.0.2"], denied: .unparsable),
        Shape("10.0.0.1", ["10.0.0.2"], denied: .allTrusted),
        Shape("10.0.0.1", ["10.0.0.3, fd00::2", "10.0.0.2"], denied: .allTrusted),
        Shape("10.0.0.1", [String(repeating: "10.0.0.2,", count: 100) + "10.0.0.2"], denied: .tooLong),
        Shape("10.0.0.1", [String(repeating: "x", count: 9_000) + ",203.0.113.9"], denied: .tooLong),
    ]

    @Test("each header shape has its one answer", arguments: shapes)
    func resolve(shape: Shape) throws {
        let trusted = try AddressPolicy(["10.0.0.0/8", "fd00::/8"])
        let peer = try #require(IPAddress(shape.peer))
        let outcome = Result { () throws(ClientAddress.Denial) in
            try ClientAddress.resolve(peer: peer, forwardedFor: shape.lines, trustedProxies: trusted).description
        }
        #expect(outcome == shape.expected)
    }

    @Test("without trusted proxies the header is never believed")
    func none() throws {
        let peer = try #require(IPAddress("127.0.0.1"))
        #expect(try ClientAddress.resolve(peer: peer, forwardedFor: ["8.8.8.8"], trustedProxies: .nowhere) == peer)
    }

    @Test("arbitrary headers never trap and never yield a trusted proxy")
    func fuzz() throws {
        let trusted = try AddressPolicy(["10.0.0.0/8"])
        let peer = try #require(IPAddress("10.0.0.1"))
        var fuzzer = Fuzzer(
            seed: 8, samples: ["1.2.3.4, 203.0.113.9, 10.0.0.2", "[2001:db8::9]:443", "\"1.2.3.4:80\" , 10.1.1.1"])
        var resolved = 0
        for _ in 0..<Fuzzer.rounds(10_000) {
            let bytes = fuzzer.next()
            let address = bytes.withUnsafeBytes { raw in
                try? ClientAddress.resolve(peer: peer, forwardedFor: [raw, raw], trustedProxies: trusted)
            }
            guard let address else { continue }
            resolved += 1
            #expect(!trusted.allows(address))
        }
        #expect(resolved > 100)
    }
}
