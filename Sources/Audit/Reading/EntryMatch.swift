internal import Domain

/// Decides whether an entry meets the conditions that no column tells.
///
/// Most entries are put aside by a search over the bytes of the body; only what passes is decoded and looked at closely.
struct EntryMatch {
    private let request: RequestID?
    private let conditions: [AuditQuery.TextCondition]
    private let needles: [ByteSearch]

    init(_ query: AuditQuery) {
        request = query.request
        conditions = query.texts.filter { !$0.text.isEmpty }
        // Text that JSON escapes stands otherwise in the body: it is looked for in the decoded entry only.
        var needles = conditions.map(\.text).filter { !$0.utf8.contains { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C } }
        if let request { needles.append(request.description) }
        self.needles = needles.map { ByteSearch($0) }
    }

    /// False if the body cannot match.
    func mayMatch(_ body: UnsafeRawBufferPointer) -> Bool {
        needles.allSatisfy { $0.isFound(in: body) }
    }

    var isTrivial: Bool { request == nil && conditions.isEmpty }

    func matches(_ entry: AuditEntry) -> Bool {
        if let request, entry.request != request { return false }
        return conditions.allSatisfy { Self.holds($0, entry) }
    }

    private static func holds(_ condition: AuditQuery.TextCondition, _ entry: AuditEntry) -> Bool {
        let search = ByteSearch(condition.text)
        return parts(condition.part, entry).contains { text in
            condition.isExact ? search.isWhole(text) : search.isFound(in: text)
        }
    }

    private static func parts(_ part: AuditQuery.TextCondition.Part, _ entry: AuditEntry) -> [String] {
        switch part {
        case .address: [entry.address]
        case .reason: [entry.reason]
        case .actorName: [entry.actor.name]
        case .object(let kind): entry.objects.filter { $0.kind == kind }.flatMap { [$0.id, $0.name] }
        case .anywhere: [entry.address, entry.reason, entry.actor.name] + entry.objects.flatMap { [$0.id, $0.name] }
        }
    }
}

/// A search over bytes that takes upper and lower case ASCII letters as the same.
struct ByteSearch {
    private let needle: [UInt8]

    init(_ text: String) { needle = text.utf8.map(Self.folded) }

    func isFound(in text: String) -> Bool {
        var text = text
        return text.withUTF8 { isFound(in: UnsafeRawBufferPointer($0)) }
    }

    func isWhole(_ text: String) -> Bool { text.utf8.count == needle.count && isFound(in: text) }

    func isFound(in bytes: UnsafeRawBufferPointer) -> Bool {
        guard let first = needle.first else { return true }
        guard bytes.count >= needle.count else { return false }
        for start in 0...(bytes.count - needle.count) where Self.folded(bytes[start]) == first {
            if needle.indices.allSatisfy({ Self.folded(bytes[start + $0]) == needle[$0] }) { return true }
        }
        return false
    }

    private static func folded(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }
}
