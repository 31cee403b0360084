import Testing

@testable import Audit

@Suite("Entry bodies")
struct EntryBodiesTests {
    private static func append(_ bytes: [UInt8], _ bodies: inout EntryBodies, room: Int) -> Range<Int> {
        bodies.append(upTo: room) {
            $0.copyBytes(from: bytes)
            return bytes.count
        }
    }

    @Test("bodies lie one behind the other and stay what they were while the memory grows")
    func grows() {
        var bodies = EntryBodies()
        let written = (0..<300).map { number in [UInt8](repeating: UInt8(number % 251), count: number) }
        var places: [Range<Int>] = []
        for body in written { places.append(Self.append(body, &bodies, room: 400)) }
        #expect(places.map { place in bodies.withBytes(place) { Array($0) } } == written)
        #expect(bodies.count == written.reduce(0) { $0 + $1.count })
    }

    @Test("after being emptied it begins anew, also when it had grown large")
    func empties() {
        for room in [10, 3 << 20] {
            var bodies = EntryBodies()
            _ = Self.append([1, 2, 3], &bodies, room: room)
            bodies.removeAll()
            #expect(bodies.count == 0)
            let place = Self.append([4, 5], &bodies, room: 2)
            #expect(place == 0..<2)
            #expect(bodies.withBytes(place) { Array($0) } == [4, 5])
        }
    }

    @Test("a claim beyond the room is cut")
    func claims() {
        var bodies = EntryBodies()
        #expect(bodies.append(upTo: 4) { _ in 9 } == 0..<4)
        #expect(bodies.append(upTo: 0) { _ in 1 } == 4..<4)
        #expect(bodies.append(upTo: 4) { _ in -1 } == 4..<4)
    }
}
