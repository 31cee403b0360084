/// Takes the bytes of a JSON text as they are written.
package protocol JSONSink {
    mutating func append(_ byte: UInt8)
    mutating func append(_ bytes: UnsafeRawBufferPointer)
}

extension [UInt8]: JSONSink {
    @inlinable
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        append(contentsOf: bytes)
    }
}

/// Writes into memory that belongs to the caller, for answers that carry a secret and are wiped.
///
/// What does not fit is dropped and `isOverflowed` set; such a text must not be used.
package struct JSONBuffer: JSONSink {
    @usableFromInline let memory: UnsafeMutableRawBufferPointer
    /// Bytes written so far.
    package private(set) var count = 0
    package private(set) var isOverflowed = false

    package init(_ memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
    }

    package mutating func append(_ byte: UInt8) {
        guard count < memory.count else {
            isOverflowed = true
            return
        }
        memory[count] = byte
        count += 1
    }

    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= memory.count - count else {
            isOverflowed = true
            return
        }
        UnsafeMutableRawBufferPointer(rebasing: memory[count...]).copyMemory(from: bytes)
        count += bytes.count
    }
}
