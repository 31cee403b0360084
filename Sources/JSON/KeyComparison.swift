/// Compares keys by what they stand for, so that `"a"` and `"\u0061"` are the same key.
struct KeyComparison {
    private let text: UnsafeRawBufferPointer
    private let tokens: [JSONToken]

    init(_ text: UnsafeRawBufferPointer, _ tokens: [JSONToken]) {
        self.text = text
        self.tokens = tokens
    }

    /// The offset of a key that occurs a second time in the object at `index`, or nil.
    func duplicate(in index: Int) -> Int? {
        let count = Int(tokens[index].count)
        guard count > 1 else { return nil }
        var keys: [Int] = []
        keys.reserveCapacity(count)
        var key = index + 1
        for _ in 0..<count {
            keys.append(key)
            key = Int(tokens[key + 1].next)
        }
        return count <= 12 ? duplicateByPairs(keys) : duplicateByHash(keys)
    }

    private func duplicateByPairs(_ keys: [Int]) -> Int? {
        for (place, key) in keys.enumerated() {
            for earlier in keys[..<place] where equal(earlier, key) { return Int(tokens[key].start) }
        }
        return nil
    }

    /// Sorted by a seeded hash, so that an object with very many keys costs n log n whatever its keys are.
    private func duplicateByHash(_ keys: [Int]) -> Int? {
        let hashed = keys.map { (hash: hash($0), key: $0) }.sorted { ($0.hash, $0.key) < ($1.hash, $1.key) }
        for (place, entry) in hashed.enumerated() {
            var other = place + 1
            while other < hashed.count, hashed[other].hash == entry.hash {
                if equal(entry.key, hashed[other].key) { return Int(tokens[hashed[other].key].start) }
                other += 1
            }
        }
        return nil
    }

    private func hash(_ key: Int) -> Int {
        let token = tokens[key]
        var hasher = Hasher()
        if token.isEscaped {
            for byte in bytes(token) { hasher.combine(byte) }
        } else {
            for byte in text[Int(token.start)..<Int(token.end)] { hasher.combine(byte) }
        }
        return hasher.finalize()
    }

    private func equal(_ first: Int, _ second: Int) -> Bool {
        let (a, b) = (tokens[first], tokens[second])
        if !a.isEscaped && !b.isEscaped {
            return text[Int(a.start)..<Int(a.end)].elementsEqual(text[Int(b.start)..<Int(b.end)])
        }
        return bytes(a).elementsEqual(bytes(b))
    }

    private func bytes(_ token: JSONToken) -> UnescapedBytes {
        UnescapedBytes(text, from: Int(token.start), to: Int(token.end))
    }
}
