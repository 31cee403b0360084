import Testing

@testable import Storage

@Suite("Packed body")
struct PackedBodyTests {
    private static func expand(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { PackedBody.expand($0) } }

    private static let fetch = Array(
        (#"{"v":1,"time":1795286703018,"phase":"single","actor":{"kind":"application","id":"f2c77225-d4f9-4b08-b3e5-9d342891f471","#
            + #""credential":"f2c77225-d4f9-4b08-b3e5-9d342891f471","name":"shop"},"address":"127.0.0.1","#
            + #""organization":"00000000-0000-0000-0000-000000000002","action":"secret.fetch","#
            + #""objects":[{"kind":"account","id":"489ac690-0f5e-40b4-a608-dc24b2a57d9a","name":"root"},"#
            + #"{"kind":"asset","id":"e0f0f95f-4042-41a3-bf65-b6fba78e8a20","name":"web"}],"outcome":"granted","#
            + #""request":"a224468b-8e34-3e16-69cb-277d93aad349","latency":9,"version":1}"#).utf8)

    @Test("expands to the very bytes that were packed, and a fetch takes less than two fifths of them")
    func roundTrip() {
        let packed = PackedBody.pack(Self.fetch)
        #expect(Self.expand(packed) == Self.fetch)
        #expect(packed.count * 5 < Self.fetch.count * 2)
    }

    @Test("parts may be packed alone, wherever the body is cut")
    func parts() {
        for cut in Self.fetch.indices {
            let packed = PackedBody.pack(Array(Self.fetch[..<cut])) + PackedBody.pack(Array(Self.fetch[cut...]))
            // Cut inside its first piece a body begins as it is, which says that it is not packed: only whole pieces may come first.
            let whole = cut == 0 || cut >= PackedBody.Piece.start.text.utf8CodeUnitCount
            if whole { #expect(Self.expand(packed) == Self.fetch, "cut at \(cut)") }
        }
    }

    @Test(
        "an id that is not written as ids are stays text",
        arguments: [
            "F2C77225-D4F9-4B08-B3E5-9D342891F471", "f2c77225d4f94b08b3e59d342891f471", "f2c77225-d4f9-4b08-b3e5-9d342891f47",
        ])
    func otherIDs(_ text: String) {
        let body = Array(#"{"v":1,"time":1,"id":"\#(text)"}"#.utf8)
        let packed = PackedBody.pack(body)
        #expect(packed.count == body.count - PackedBody.Piece.start.text.utf8CodeUnitCount + 1)
        #expect(Self.expand(packed) == body)
    }

    @Test("what is not packed is read as it is, and so is what cannot be expanded")
    func plainAndDamaged() {
        let packed = PackedBody.pack(Self.fetch)
        let plain = Array(#"{"v":1}"#.utf8)
        #expect(Self.expand(plain) == plain)
        #expect(Self.expand([]) == [])
        let unknown: [UInt8] = [31, 65]
        #expect(Self.expand(unknown) == unknown)
        let shortID: [UInt8] = [2, 1, 0, 0]
        #expect(Self.expand(shortID) == shortID)
        let long = [UInt8](repeating: PackedBody.Piece.application.rawValue, count: PackedBody.limit / 32)
        #expect(Self.expand(long) == long)
        #expect(Self.expand(Array(packed.dropLast(1))) != Self.fetch)
    }

    @Test("any bytes are expanded or given back, at random")
    func fuzz() {
        var generator = SystemRandomNumberGenerator()
        let packed = PackedBody.pack(Self.fetch)
        for _ in 0..<2_000 {
            var bytes = packed
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0 ... .max, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0...20, using: &generator))
            #expect(Self.expand(bytes).count <= PackedBody.limit + 64)
        }
    }
}
