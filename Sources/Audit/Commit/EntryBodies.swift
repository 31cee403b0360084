/// The stored bodies of a batch's entries, one after the other in memory that is kept: a body is neither an allocation nor a copy.
struct EntryBodies: ~Copyable, Sendable {
    // The memory belongs to this value alone until deinit, hence safe to send.
    private nonisolated(unsafe) var memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private(set) var count = 0
    /// Memory beyond this is given back when the batch is emptied: a pass that was longer than any other does not keep it.
    private static let keptByteCount = 1 << 20

    deinit { memory.deallocate() }

    /// Lets the closure write at most `room` bytes and returns where they lie; it returns how many it wrote.
    mutating func append(upTo room: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int) -> Range<Int> {
        let room = max(room, 0)
        if memory.count - count < room { grow(by: room) }
        let written = fill(UnsafeMutableRawBufferPointer(rebasing: memory[count..<(count + room)]))
        let place = count..<(count + min(max(written, 0), room))
        count = place.upperBound
        return place
    }

    /// Lends the bytes of one body.
    func withBytes<Output>(_ place: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Output) rethrows -> Output {
        try body(UnsafeRawBufferPointer(rebasing: memory[place]))
    }

    mutating func removeAll() {
        count = 0
        guard memory.count > Self.keptByteCount else { return }
        memory.deallocate()
        memory = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    private mutating func grow(by room: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(4096, 2 * (count + room)), alignment: 16)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
        memory.deallocate()
        memory = larger
    }
}
