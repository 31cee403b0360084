#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension UnsafeRawBufferPointer {
    /// Whether these are the bytes of a text, case and all.
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount, let baseAddress, text.hasPointerRepresentation else { return false }
        return memcmp(baseAddress, text.utf8Start, count) == 0
    }
}
