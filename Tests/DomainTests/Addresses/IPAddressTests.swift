import Domain
import TestSupport
import Testing

@Suite("IPAddress")
struct IPAddressTests {
    @Test(
        "an address is read and written in its one canonical form",
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("10.1.2.3", "10.1.2.3"), ("::", "::"),
            ("::1", "::1"), ("0:0:0:0:0:0:0:1", "::1"), ("1::", "1::"), ("2001:DB8::0001", "2001:db8::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("1:0:0:0:5:0:0:0", "1::5:0:0:0"),
            ("::ffff:10.1.2.3", "10.1.2.3"), ("::FFFF:0a01:0203", "10.1.2.3"), ("0:0:0:0:0:ffff:10.1.2.3", "10.1.2.3"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
            ("::1.2.3.4", "::102:304"), ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
            ("fe80::1", "fe80::1"),
        ])
    func canonical(text: String, form: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == form)
        #expect(IPAddress(form) == address)
    }

    @Test(
        "everything else is no address",
        arguments: [
            "", "*", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.1.1.1", "01.2.3.4", "1.2.3.04", "1.2.3.4 ",
            " 1.2.3.4", "1.2.3.4:80", "0x1.2.3.4", "1.2.3.-4", "1.2.3.4/32", ":", ":::", "1", "1:", ":1", "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9", "1::2::3", "::1::", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::1", "[::1]",
            "::1%eth0",
            "fe80::1%1", "::1.2.3", "::1.2.3.4.5", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::256.1.1.1",
            "::ffff:01.2.3.4",
            "1:2:3:4:5:6:7:", "localhost", "٣.1.1.1", "1.2.3.4\0",
        ])
    func refused(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("random addresses survive writing and reading, whichever groups are zero")
    func roundTrip() {
        var random = SeededGenerator(seed: 4)
        for _ in 0..<3_000 {
            let mask: UInt64 = (0..<4).reduce(0) { mask, _ in mask << 16 | (Bool.random(using: &random) ? 0xFFFF : 0) }
            let address = IPAddress(
                v6: UInt64.random(in: 0 ... .max, using: &random) & mask, UInt64.random(in: 0 ... .max, using: &random) & ~mask)
            #expect(IPAddress(address.description) == address)
            let v4 = IPAddress(v4: UInt32.random(in: 0 ... .max, using: &random))
            #expect(IPAddress(v4.description) == v4)
            #expect(IPAddress("::ffff:\(v4)") == v4)
        }
    }

    @Test("arbitrary bytes never trap, and what is read is canonical at once")
    func fuzz() {
        var fuzzer = Fuzzer(seed: 5, samples: ["2001:db8::1:0:0:1", "::ffff:10.1.2.3", "192.168.100.200", "1:2:3:4:5:6:7:8"])
        for _ in 0..<Fuzzer.rounds(20_000) {
            let bytes = fuzzer.next()
            guard let address = bytes.withUnsafeBytes({ IPAddress(utf8: $0) }) else { continue }
            #expect(IPAddress(address.description)?.description == address.description)
        }
    }

    @Test("the prefix of a subscriber is the whole of IPv4 and half of IPv6")
    func prefix() {
        #expect(IPAddress("10.1.2.3")?.subscriberPrefix == IPAddress("10.1.2.3"))
        #expect(IPAddress("2001:db8:1:2:3::4")?.subscriberPrefix == IPAddress("2001:db8:1:2::"))
    }
}

@Suite("AddressPolicy")
struct AddressPolicyTests {
    @Test(
        "an entry allows just what it says",
        arguments: [
            (["*"], "1.2.3.4", true), (["*"], "::1", true), ([], "1.2.3.4", false), (["1.2.3.4"], "1.2.3.4", true),
            (["1.2.3.4"], "1.2.3.5", false), (["1.2.3.4"], "::ffff:1.2.3.4", true), (["::ffff:1.2.3.4"], "1.2.3.4", true),
            (["10.0.0.0/8"], "10.255.255.255", true), (["10.0.0.0/8"], "11.0.0.0", false),
            (["10.0.0.0/8"], "9.255.255.255", false),
            (["0.0.0.0/0"], "255.0.0.1", true), (["0.0.0.0/0"], "::1", false), (["::/0"], "2001:db8::1", true),
            (["::/0"], "1.2.3.4", false), (["10.1.1.1/32"], "10.1.1.1", true), (["2001:db8::/32"], "2001:db8:ffff::1", true),
            (["2001:db8::/32"], "2001:db9::", false), (["::1/128"], "0:0:0:0:0:0:0:1", true),
            (["::ffff:10.0.0.0/104"], "10.9.9.9", true),
            (["10.0.0.5-10.0.0.9"], "10.0.0.5", true), (["10.0.0.5-10.0.0.9"], "10.0.0.9", true),
            (["10.0.0.5-10.0.0.9"], "10.0.0.10", false), (["10.0.0.9 - 10.0.0.5"], "10.0.0.7", true),
            (["::5-::9"], "0.0.0.7", false), (["::5-::9"], "::7", true),
            (["1.1.1.1", "2.2.2.0/24", "3.3.3.3-3.3.3.9"], "2.2.2.200", true),
            (["1.0.0.0/8", "1.2.3.4"], "1.200.0.0", true), (["1.2.3.4", "1.0.0.0/8"], "1.0.0.1", true),
        ])
    func allows(entries: [String], address: String, expected: Bool) throws {
        #expect(try AddressPolicy(entries).allows(#require(IPAddress(address))) == expected)
    }

    @Test(
        "a bad entry is refused and named with its place",
        arguments: [
            ("10.0.0.1/8", AddressPolicyFault.Kind.hostBits), ("10.0.0.0/33", .hostBits), ("10.0.0.0/-1", .hostBits),
            ("10.0.0.0/08", .hostBits), ("10.0.0.0/", .hostBits), ("10.0.0.0/8/8", .hostBits), ("/8", .malformed),
            ("1.2.3.4-::5", .mixedFamilies), ("1.2.3.4-1.2.3.5-1.2.3.6", .malformed), ("1.2.3.4-", .malformed), ("-", .malformed),
            ("", .malformed), ("**", .malformed), ("1.2.3", .malformed), ("localhost", .malformed),
            ("::ffff:10.0.0.0/80", .hostBits),
        ])
    func refuses(entry: String, kind: AddressPolicyFault.Kind) {
        let fault = #expect(throws: AddressPolicyFault.self) { try AddressPolicy(["*", "1.1.1.1", entry]) }
        #expect(fault?.kind == kind)
        #expect(fault?.index == 2)
    }

    @Test("a message names an entry that looks like addresses and repeats no other text")
    func messages() {
        let bad = #expect(throws: AddressPolicyFault.self) { try AddressPolicy(["10.0.0.1/8"]) }
        #expect(bad?.description.contains("\"10.0.0.1/8\"") == true)
        let secret = #expect(throws: AddressPolicyFault.self) { try AddressPolicy(["1.1.1.1", "my secret"]) }
        #expect(secret?.description == "Entry 2 is not *, an address, a network or a range.")
        let long = #expect(throws: AddressPolicyFault.self) { try AddressPolicy([String(repeating: "1", count: 1_025)]) }
        #expect(long?.kind == .tooLong)
        let many = #expect(throws: AddressPolicyFault.self) { try AddressPolicy(Array(repeating: "*", count: 10_001)) }
        #expect(many?.kind == .tooMany)
    }

    @Test("ten thousand entries answer like a walk through all of them")
    func large() throws {
        var random = SeededGenerator(seed: 6)
        var networks: [Network] = []
        for _ in 0..<10_000 {
            let length = Int.random(in: 12...32, using: &random)
            let bits = UInt32.random(in: 0 ... .max, using: &random) & (UInt32.max << UInt32(32 - length))
            networks.append(try #require(Network(address: IPAddress(v4: bits), prefixLength: length)))
        }
        let policy = try AddressPolicy(networks.map(\.description))
        var allowed = 0
        for _ in 0..<200 {
            let address = IPAddress(v4: UInt32.random(in: 0 ... .max, using: &random))
            let expected = networks.contains { $0.contains(address) }
            #expect(policy.allows(address) == expected)
            allowed += expected ? 1 : 0
        }
        for network in networks.prefix(200) {
            #expect(policy.allows(network.address) && policy.allows(network.last))
        }
        #expect(allowed > 10 && allowed < 200)
    }

    @Test("arbitrary entries never trap")
    func fuzz() {
        var fuzzer = Fuzzer(seed: 7, samples: ["10.0.0.0/8", "2001:db8::/32", "1.2.3.4-1.2.3.9", "::1-::f", "*"])
        for _ in 0..<Fuzzer.rounds(10_000) {
            let entry = String(decoding: fuzzer.next(), as: UTF8.self)
            if let policy = try? AddressPolicy([entry]) { _ = policy.allows(IPAddress(v4: 1)) }
        }
    }
}
