import TestSupport
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

    @Test("any bytes are expanded or given back, and any JSON comes back from its packed form")
    func fuzz() {
        var stored = Fuzzer(seed: 33, bytes: [PackedBody.pack(Self.fetch), [2, 1], [4, 9, 13]])
        var bodies = Fuzzer(seed: 34, bytes: [Self.fetch, PackedBody.Piece.allCases.flatMap { Array("\($0.text)".utf8) }])
        for _ in 0..<Fuzzer.rounds(2_000) {
            let bytes = stored.next()
            let expanded = Self.expand(bytes)
            #expect(expanded == bytes || expanded.allSatisfy { $0 >= 0x20 })
            // As bodies are: without control characters, and begun by a whole piece or not packed at all.
            let json = PackedBody.Piece.start.text.withUTF8Buffer { Array($0) } + bodies.next().filter { $0 >= 0x20 }
            #expect(Self.expand(PackedBody.pack(json)) == json)
        }
    }
}
