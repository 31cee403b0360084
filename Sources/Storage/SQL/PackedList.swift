internal import Domain

/// The stored byte forms of small lists, which decode faster than JSON: ids are 16 bytes each, texts have their length before
/// them.
enum PackedList {
    static func encode<Entity>(_ ids: [Identifier<Entity>]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(ids.count * 16)
        for id in ids {
            withUnsafeBytes(of: id.high.bigEndian) { bytes.append(contentsOf: $0) }
            withUnsafeBytes(of: id.low.bigEndian) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    /// Nil if the bytes are no list of ids.
    static func ids<Entity>(_ bytes: UnsafeRawBufferPointer, of _: Entity.Type = Entity.self) -> [Identifier<Entity>]? {
        guard bytes.count % 16 == 0 else { return nil }
        return stride(from: 0, to: bytes.count, by: 16).map { offset in
            Identifier<Entity>(
                high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
                low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)))
        }
    }

    static func encode(_ texts: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for text in texts {
            withUnsafeBytes(of: UInt32(clamping: text.utf8.count).bigEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: text.utf8)
        }
        return bytes
    }

    /// Nil if the bytes are no list of texts.
    static func texts(_ bytes: UnsafeRawBufferPointer) -> [String]? {
        var texts: [String] = []
        var offset = 0
        while offset < bytes.count {
            guard bytes.count - offset >= 4 else { return nil }
            let count = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            offset += 4
            guard count <= bytes.count - offset else { return nil }
            let part = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
            guard let text = String(stored: part) else { return nil }
            texts.append(text)
            offset += count
        }
        return texts
    }
}

extension SQLValue {
    static func list<Entity>(_ ids: [Identifier<Entity>]) -> SQLValue { .blob(PackedList.encode(ids)) }

    static func list(_ texts: [String]) -> SQLValue { .blob(PackedList.encode(texts)) }
}

extension SQLRow {
    func ids<Entity>(_ column: Int, of _: Entity.Type = Entity.self) throws(StorageFault) -> [Identifier<Entity>] {
        guard let ids = try withBlob(column, { PackedList.ids($0, of: Entity.self) }) else { throw fault(column) }
        return ids
    }

    func texts(_ column: Int) throws(StorageFault) -> [String] {
        guard let texts = try withBlob(column, { PackedList.texts($0) }) else { throw fault(column) }
        return texts
    }
}
