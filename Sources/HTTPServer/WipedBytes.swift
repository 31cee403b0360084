import CHTTPShim
import Synchronization

/// A request body: bytes that nobody changes any more and that are overwritten when the last holder lets go.
// Unchecked: the loop fills it before anybody else sees it; afterwards it is only read.
package final class WipedBytes: @unchecked Sendable {
    private var bytes: UnsafeMutableRawPointer?
    private var capacity = 0
    package private(set) var count = 0
    private let share: BodyBudget.Share?

    package init(copying source: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)) {
        share = nil
        _ = append(source)
    }

    init(share: BodyBudget.Share) {
        self.share = share
    }

    deinit {
        khttp_wiped_free(bytes)
        share?.giveBack(capacity)
    }

    package func withBytes<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        try body(contents)
    }

    /// Valid as long as somebody holds the object.
    var contents: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes, count: count)
    }

    /// Adds received bytes; false when memory, the common budget or the share in it is used up.
    func append(_ source: UnsafeRawBufferPointer) -> Bool {
        guard let start = source.baseAddress, source.count > 0 else { return true }
        let (needed, overflow) = count.addingReportingOverflow(source.count)
        guard !overflow, needed <= Int.max / 4, grow(to: needed), let bytes else { return false }
        (bytes + count).copyMemory(from: start, byteCount: source.count)
        count = needed
        return true
    }

    private func grow(to needed: Int) -> Bool {
        guard needed > capacity else { return true }
        // By half, not by doubling: what many unfinished bodies reserve beyond their bytes counts against everybody's room.
        let wanted = max(1024, needed + needed / 2)
        guard share?.take(wanted - capacity) ?? true else { return false }
        guard let larger = khttp_wiped_allocate(wanted) else {
            share?.giveBack(wanted - capacity)
            return false
        }
        if let bytes { larger.copyMemory(from: bytes, byteCount: count) }
        khttp_wiped_free(bytes)
        bytes = larger
        capacity = wanted
        return true
    }
}
