/// An unambiguous byte form of a list of values: what associated data and row authentication codes are computed over.
///
/// Every part is preceded by its length as 4 bytes, most significant first, so no two different lists have the same bytes. Integers
/// are 8 bytes, identifiers 16, booleans 1; an absent value differs from an empty one by its marker byte.
package struct CanonicalBytes: Sendable {
    package private(set) var bytes: [UInt8]

    package init(reservingCapacity capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Empties it and keeps its memory, for reuse on hot paths.
    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    package mutating func append(_ part: [UInt8]) {
        appendLength(part.count)
        bytes.append(contentsOf: part)
    }

    package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { part in
            appendLength(part.count)
            bytes.append(contentsOf: part)
        }
    }

    package mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { part in
            appendLength(part.count)
            bytes.append(contentsOf: part)
        }
    }

    package mutating func append(_ number: Int64) {
        appendLength(8)
        appendWord(UInt64(bitPattern: number))
    }

    package mutating func append(_ flag: Bool) {
        appendLength(1)
        bytes.append(flag ? 1 : 0)
    }

    package mutating func append<Entity>(_ id: Identifier<Entity>) {
        appendLength(16)
        appendWord(id.high)
        appendWord(id.low)
    }

    package mutating func append<Entity>(_ id: Identifier<Entity>?) {
        guard let id else { return appendAbsent() }
        append(id)
    }

    package mutating func append(_ number: Int64?) {
        guard let number else { return appendAbsent() }
        append(number)
    }

    package mutating func append(_ moment: Timestamp?) { append(moment?.milliseconds) }

    /// A list in the order given: its count, then each id.
    package mutating func append<Entity>(_ ids: [Identifier<Entity>]) {
        append(Int64(ids.count))
        for id in ids { append(id) }
    }

    /// A list in the order given: its count, then each text.
    package mutating func append(_ texts: [String]) {
        append(Int64(texts.count))
        for text in texts { append(text) }
    }

    private mutating func appendAbsent() {
        // A length that no part can have.
        bytes.append(contentsOf: [0xFF, 0xFF, 0xFF, 0xFF])
    }

    private mutating func appendLength(_ count: Int) {
        withUnsafeBytes(of: UInt32(clamping: count).bigEndian) { bytes.append(contentsOf: $0) }
    }

    private mutating func appendWord(_ word: UInt64) {
        withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
