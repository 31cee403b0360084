/// What a document may cost before it is refused.
package struct JSONLimits: Sendable {
    /// The greatest nesting of arrays and objects.
    package var depth: Int
    /// The greatest size of the whole text in bytes; never above `ceiling`.
    package var bytes: Int
    /// The greatest number of values and keys in the document.
    package var values: Int

    /// Offsets are kept in 32 bits, so no limit reaches further than this.
    package static let ceiling = 1 << 30

    package init(depth: Int = 16, bytes: Int = 4 << 20, values: Int = 200_000) {
        self.depth = depth
        self.bytes = min(bytes, Self.ceiling)
        self.values = min(values, Self.ceiling)
    }

    /// For requests of applications: 64 KiB.
    package static let application = JSONLimits(bytes: 64 << 10, values: 10_000)
    /// For requests of administrators: 4 MiB.
    package static let administration = JSONLimits()
}
