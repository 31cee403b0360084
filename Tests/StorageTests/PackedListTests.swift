import Domain
import TestSupport
import Testing

@testable import Storage

@Suite("Packed lists")
struct PackedListTests {
    @Test("texts come back as they were", arguments: [[], [""], ["a", "", "日本"], [String(repeating: "x", count: 70_000), "y"]])
    func texts(list: [String]) {
        #expect(PackedList.encode(list).withUnsafeBytes { PackedList.texts($0) } == list)
    }

    @Test("ids come back as they were", arguments: [0, 1, 1000])
    func ids(count: Int) {
        let list = (0..<count).map { _ in NodeID.random() }
        #expect(PackedList.encode(list).withUnsafeBytes { PackedList.ids($0, of: Node.self) } == list)
    }

    @Test(
        "bytes that are no list are none",
        arguments: [
            [0], [0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 2, 65], [255, 255, 255, 255, 65], [0, 0, 0, 1, 255], [0, 0, 0, 1, 65, 0],
        ] as [[UInt8]])
    func malformed(bytes: [UInt8]) {
        #expect(bytes.withUnsafeBytes { PackedList.texts($0) } == nil)
        #expect(bytes.withUnsafeBytes { PackedList.ids($0, of: Node.self) } == nil)
    }

    @Test("whatever bytes decode, encode to the same bytes; the others are refused without harm")
    func fuzz() {
        var generator = SeededGenerator(seed: 0x9E37_79B9)
        let seed = PackedList.encode(["ssh", "22", "", "日本"])
        var accepted = 0
        for round in 0..<Fuzzer.rounds(20_000) {
            var bytes = seed
            if round % 2 == 0 {
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
                }
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator) / 4)
            } else {
                bytes = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator) & (round % 3 == 0 ? 3 : 255)
                }
            }
            if let texts = bytes.withUnsafeBytes({ PackedList.texts($0) }) {
                accepted += 1
                #expect(PackedList.encode(texts) == bytes)
            }
            let ids = bytes.withUnsafeBytes { PackedList.ids($0, of: Asset.self) }
            #expect((ids == nil) == (bytes.count % 16 != 0))
        }
        #expect(accepted > 100)
    }
}
