internal import CCrypto

/// Plaintext bytes that must not leak: borrowed, never copied, printed or encoded, and wiped when dropped.
///
/// The bytes live in memory of their own that the allocator never sees unwiped. An empty secret is allowed and holds nothing.
package struct Secret: ~Copyable, Sendable {
    // The memory belongs to this value alone until deinit, hence safe to send.
    private nonisolated(unsafe) let memory: UnsafeMutableRawPointer
    package let count: Int

    /// Makes room for `capacity` bytes and lets the closure fill them; it returns how many it wrote.
    package init<Failure: Swift.Error>(
        capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        let size = max(capacity, 1)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        let buffer = UnsafeMutableRawBufferPointer(start: memory, count: max(capacity, 0))
        do {
            count = min(max(try fill(buffer), 0), max(capacity, 0))
        } catch {
            OPENSSL_cleanse(memory, size)
            memory.deallocate()
            throw error
        }
        // What the closure did not use is wiped now, since only `count` bytes are wiped later.
        OPENSSL_cleanse(memory + count, size - count)
        self.memory = memory
    }

    /// Copies bytes in; the caller wipes its own copy.
    package init(copying bytes: UnsafeRawBufferPointer) {
        self.init(capacity: bytes.count) { buffer in
            buffer.copyMemory(from: bytes)
            return bytes.count
        }
    }

    /// Copies bytes in and wipes the array that held them.
    package init(moving bytes: inout [UInt8]) {
        let count = bytes.count
        self.init(capacity: count) { buffer in
            buffer.copyBytes(from: bytes)
            return count
        }
        ConstantTime.wipe(&bytes)
    }

    /// Fresh random bytes.
    package static func random(count: Int) throws(CryptographyFault) -> Secret {
        try Secret(capacity: count) { (buffer) throws(CryptographyFault) in
            try SecureRandom.fill(buffer)
            return count
        }
    }

    deinit {
        OPENSSL_cleanse(memory, count)
        memory.deallocate()
    }

    package var isEmpty: Bool { count == 0 }

    /// Lends the bytes for the length of the closure; they must not be kept.
    package borrowing func withBytes<Output: ~Copyable, Failure: Swift.Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Output
    ) throws(Failure) -> Output {
        try body(UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// A second owner of the same bytes, on purpose.
    package borrowing func duplicate() -> Secret {
        withBytes { Secret(copying: $0) }
    }

    /// Whether both hold the same bytes, in time that depends on the lengths only.
    package borrowing func isEqual(to other: borrowing Secret) -> Bool {
        withBytes { mine in other.withBytes { ConstantTime.areEqual(mine, $0) } }
    }
}
