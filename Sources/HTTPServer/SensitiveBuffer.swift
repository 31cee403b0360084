import CHTTPShim

/// A response body that carries a secret: raw memory, overwritten before it is freed, never copied by the server.
///
/// One thread fills it, then it moves into a `Response`. When the answer has been sent or dropped, the memory is wiped.
/// Without memory it stays as it is and `isComplete` turns false; such an answer must not be sent.
// Unchecked: it has one holder at a time; the handler that fills it gives it up to the response that it moves into.
package final class SensitiveBuffer: @unchecked Sendable {
    private var bytes: UnsafeMutableRawPointer?
    private var capacity: Int
    package private(set) var count = 0
    /// False once an append found no memory.
    package private(set) var isComplete = true

    package init(capacity: Int = 512) {
        self.capacity = max(64, capacity)
        bytes = khttp_wiped_allocate(self.capacity)
        if bytes == nil { self.capacity = 0 }
    }

    deinit {
        khttp_wiped_free(bytes)
    }

    /// Lets the closure write `capacity` more bytes at most, in place; it returns how many it wrote.
    package func append(upTo capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int) {
        guard let end = reserve(max(capacity, 0)) else { return }
        count += min(max(fill(UnsafeMutableRawBufferPointer(start: end, count: capacity)), 0), capacity)
    }

    package func append(_ byte: UInt8) {
        guard let end = reserve(1) else { return }
        end.storeBytes(of: byte, as: UInt8.self)
        count += 1
    }

    package func append(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress, let end = reserve(source.count) else { return }
        end.copyMemory(from: start, byteCount: source.count)
        count += source.count
    }

    package func append(_ text: StaticString) {
        guard text.hasPointerRepresentation else { return }
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends text that is no secret.
    package func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    package func append(_ values: [UInt8]) {
        values.withUnsafeBytes { append($0) }
    }

    package func withBytes<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        try body(UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// Gives the memory away; who takes it frees it with `khttp_wiped_free`. The buffer is empty afterwards.
    func take() -> UnsafeMutableRawPointer? {
        let taken = bytes
        bytes = nil
        capacity = 0
        count = 0
        return taken
    }

    /// The place for more bytes, after moving to larger memory where needed; the smaller one is wiped.
    private func reserve(_ more: Int) -> UnsafeMutableRawPointer? {
        let (needed, overflow) = count.addingReportingOverflow(more)
        guard !overflow, needed <= Int.max / 4, let old = bytes, isComplete else {
            isComplete = false
            return nil
        }
        if needed <= capacity { return old + count }
        guard let larger = khttp_wiped_allocate(2 * needed) else {
            isComplete = false
            return nil
        }
        larger.copyMemory(from: old, byteCount: count)
        khttp_wiped_free(old)
        bytes = larger
        capacity = 2 * needed
        return larger + count
    }
}
