/// A comparison of texts by their UTF-8 bytes: case counts, and so does how an accented letter is composed.
struct TextCondition: Sendable {
    private let match: AccountMatch
    /// Sorted by bytes.
    private let texts: [[UInt8]]

    /// Nil if the operator compares no texts, or the number of texts does not fit it.
    init?(_ match: AccountMatch, _ texts: [String]) {
        switch match {
        case .exact, .not, .gte, .lte, .gt, .lt: guard texts.count == 1 else { return nil }
        case .contains, .startswith, .endswith: guard texts.count == 1, texts[0].utf8.count > 0 else { return nil }
        case .in: guard !texts.isEmpty else { return nil }
        default: return nil
        }
        self.match = match
        self.texts = texts.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
    }

    func holds(for text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable { holds($0) } ?? Array(text.utf8).withUnsafeBufferPointer { holds($0) }
    }

    private func holds(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = texts.first else { return false }
        switch match {
        case .exact: return text.elementsEqual(first)
        case .not: return !text.elementsEqual(first)
        case .in: return isListed(text)
        case .gte: return !text.lexicographicallyPrecedes(first)
        case .lte: return !first.lexicographicallyPrecedes(text)
        case .gt: return first.lexicographicallyPrecedes(text)
        case .lt: return text.lexicographicallyPrecedes(first)
        case .startswith: return text.starts(with: first)
        case .endswith: return text.count >= first.count && text.suffix(first.count).elementsEqual(first)
        case .contains: return contains(text, first)
        default: return false
        }
    }

    private func isListed(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        var low = 0
        var high = texts.count
        while low < high {
            let middle = (low + high) / 2
            if texts[middle].lexicographicallyPrecedes(text) { low = middle + 1 } else { high = middle }
        }
        return low < texts.count && text.elementsEqual(texts[low])
    }

    private func contains(_ text: UnsafeBufferPointer<UInt8>, _ part: [UInt8]) -> Bool {
        guard text.count >= part.count else { return false }
        for start in 0...(text.count - part.count) where text[start] == part[0] {
            if text[start..<(start + part.count)].elementsEqual(part) { return true }
        }
        return false
    }
}
