internal import Glibc

/// Bytes that may hold a secret: read in place, and wiped when the last owner drops them.
package final class WipedBytes: Sendable {
    // Written before `init` returns and never after, hence safe to share.
    private nonisolated(unsafe) let memory: UnsafeMutableRawBufferPointer
    package let count: Int

    /// Takes over memory that was allocated for it.
    fileprivate init(adopting memory: UnsafeMutableRawBufferPointer, count: Int) {
        self.memory = memory
        self.count = count
    }

    package convenience init(copying bytes: UnsafeRawBufferPointer) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        memory.copyMemory(from: bytes)
        self.init(adopting: memory, count: bytes.count)
    }

    /// From bytes that are no secret, such as most requests.
    package convenience init(_ bytes: [UInt8]) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        memory.copyBytes(from: bytes)
        self.init(adopting: memory, count: bytes.count)
    }

    deinit { wipeAndFree(memory) }

    package var isEmpty: Bool { count == 0 }

    /// Lends the bytes for the length of the closure; they must not be kept.
    package func withBytes<Output: ~Copyable, Failure: Swift.Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Output
    ) throws(Failure) -> Output {
        try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<count]))
    }
}

/// Collects bytes that may hold a secret; what it outgrows is wiped. Confined to one thread at a time.
package final class WipedBuffer {
    private var memory: UnsafeMutableRawBufferPointer
    package private(set) var count = 0

    package init(capacity: Int = 1024) {
        memory = .allocate(byteCount: max(capacity, 64), alignment: 1)
    }

    deinit { wipeAndFree(memory) }

    package func append(_ byte: UInt8) {
        reserve(1)
        memory[count] = byte
        count += 1
    }

    package func append(_ bytes: UnsafeRawBufferPointer) {
        reserve(bytes.count)
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
        count += bytes.count
    }

    /// What was collected; the buffer is empty afterwards.
    package func take() -> WipedBytes {
        let taken = WipedBytes(adopting: memory, count: count)
        memory = .allocate(byteCount: 64, alignment: 1)
        count = 0
        return taken
    }

    private func reserve(_ more: Int) {
        guard more > memory.count - count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: max(memory.count * 2, count + more), alignment: 1)
        larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<count]))
        wipeAndFree(memory)
        memory = larger
    }
}

private func wipeAndFree(_ memory: UnsafeMutableRawBufferPointer) {
    if let start = memory.baseAddress { explicit_bzero(start, memory.count) }
    memory.deallocate()
}
