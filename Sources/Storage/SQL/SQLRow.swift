internal import CSQLite
package import Domain
internal import Glibc

/// The row that a statement stands on, valid only inside the closure that gets it; columns count from 0.
///
/// A column that is NULL or of another type than asked for is `StorageFault.corrupt`: never a trap, never a silent default.
package struct SQLRow: ~Copyable {
    private let statement: OpaquePointer

    init(_ statement: OpaquePointer) { self.statement = statement }

    package func isNull(_ column: Int) -> Bool { type(column) == SQLITE_NULL }

    package func integer(_ column: Int) throws(StorageFault) -> Int64 {
        try expect(SQLITE_INTEGER, column)
        return sqlite3_column_int64(statement, index(column))
    }

    package func integerOrNil(_ column: Int) throws(StorageFault) -> Int64? {
        isNull(column) ? nil : try integer(column)
    }

    /// An integer that is 0 or 1.
    package func flag(_ column: Int) throws(StorageFault) -> Bool {
        switch try integer(column) {
        case 0: return false
        case 1: return true
        default: throw fault(column)
        }
    }

    package func text(_ column: Int) throws(StorageFault) -> String {
        guard let text = try withText(column, { String(stored: $0) }) else { throw fault(column) }
        return text
    }

    package func textOrNil(_ column: Int) throws(StorageFault) -> String? {
        isNull(column) ? nil : try text(column)
    }

    package func blob(_ column: Int) throws(StorageFault) -> [UInt8] {
        try withBlob(column) { [UInt8]($0) }
    }

    package func blobOrNil(_ column: Int) throws(StorageFault) -> [UInt8]? {
        isNull(column) ? nil : try blob(column)
    }

    package func id<Entity>(_ column: Int, of _: Entity.Type = Entity.self) throws(StorageFault) -> Identifier<Entity> {
        guard let id = try withBlob(column, { Identifier<Entity>(stored: $0) }) else { throw fault(column) }
        return id
    }

    package func idOrNil<Entity>(_ column: Int, of _: Entity.Type = Entity.self) throws(StorageFault) -> Identifier<Entity>? {
        isNull(column) ? nil : try id(column)
    }

    package func time(_ column: Int) throws(StorageFault) -> Timestamp {
        Timestamp(milliseconds: try integer(column))
    }

    package func timeOrNil(_ column: Int) throws(StorageFault) -> Timestamp? {
        isNull(column) ? nil : try time(column)
    }

    package func sealed(_ column: Int) throws(StorageFault) -> Sealed {
        Sealed(bytes: try blob(column))
    }

    package func sealedOrNil(_ column: Int) throws(StorageFault) -> Sealed? {
        isNull(column) ? nil : try sealed(column)
    }

    /// One of the texts of a closed set.
    package func value<Value: RawRepresentable>(
        _ column: Int, of _: Value.Type = Value.self
    ) throws(StorageFault) -> Value where Value.RawValue == String {
        guard let value = Value(rawValue: try text(column)) else { throw fault(column) }
        return value
    }

    /// The bytes of a blob without a copy, for the time of the closure.
    package func withBlob<Value>(
        _ column: Int, _ body: (UnsafeRawBufferPointer) -> Value
    ) throws(StorageFault) -> Value {
        try expect(SQLITE_BLOB, column)
        // The pointer first, then the count (manual of sqlite3_column_blob); an empty blob has no pointer.
        let base = sqlite3_column_blob(statement, index(column))
        return body(
            UnsafeRawBufferPointer(start: base, count: base == nil ? 0 : Int(sqlite3_column_bytes(statement, index(column)))))
    }

    /// The UTF-8 bytes of a text without a copy and unchecked, for the time of the closure.
    package func withText<Value>(
        _ column: Int, _ body: (UnsafeRawBufferPointer) -> Value
    ) throws(StorageFault) -> Value {
        try expect(SQLITE_TEXT, column)
        let base = sqlite3_column_text(statement, index(column))
        return body(
            UnsafeRawBufferPointer(start: base, count: base == nil ? 0 : Int(sqlite3_column_bytes(statement, index(column)))))
    }

    /// Every column as it is stored, with its type and length: two rows of one statement are the same if and only if their images are.
    package var image: [UInt8] {
        let count = sqlite3_column_count(statement)
        var image: [UInt8] = []
        image.reserveCapacity(1024)
        for column in 0..<count {
            let type = sqlite3_column_type(statement, column)
            image.append(UInt8(truncatingIfNeeded: type))
            switch type {
            case SQLITE_INTEGER: withUnsafeBytes(of: sqlite3_column_int64(statement, column)) { image.append(contentsOf: $0) }
            case SQLITE_FLOAT: withUnsafeBytes(of: sqlite3_column_double(statement, column)) { image.append(contentsOf: $0) }
            case SQLITE_NULL: break
            default:
                // Asking a text for a blob changes nothing in it; the pointer first, then the count.
                let base = sqlite3_column_blob(statement, column)
                let size = sqlite3_column_bytes(statement, column)
                withUnsafeBytes(of: size) { image.append(contentsOf: $0) }
                image.append(contentsOf: UnsafeRawBufferPointer(start: base, count: base == nil ? 0 : Int(size)))
            }
        }
        return image
    }

    /// The fault of a column that does not have the form it must have.
    package func fault(_ column: Int) -> StorageFault {
        .corrupt("column " + (sqlite3_column_name(statement, index(column)).map { String(cString: $0) } ?? "\(column)"))
    }

    private func type(_ column: Int) -> Int32 { sqlite3_column_type(statement, index(column)) }

    private func expect(_ type: Int32, _ column: Int) throws(StorageFault) {
        if self.type(column) != type { throw fault(column) }
    }

    /// SQLite answers NULL for a column that there is not.
    private func index(_ column: Int) -> Int32 { Int32(truncatingIfNeeded: column) }
}

extension Identifier {
    /// Reads the 16 bytes of a stored id; nil if there are not exactly 16.
    init?(stored bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 else { return nil }
        self.init(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
}

extension String {
    /// Reads UTF-8; nil if it is none.
    init?(stored bytes: UnsafeRawBufferPointer) {
        // Three times as fast as the validating initializer, which is generic; what was repaired is no longer the same.
        self.init(decoding: bytes.bindMemory(to: UInt8.self), as: UTF8.self)
        let isSame = withUTF8 { own in
            own.count == bytes.count && Self.areSame(UnsafeRawBufferPointer(own), bytes)
        }
        if !isSame { return nil }
    }

    private static func areSame(_ some: UnsafeRawBufferPointer, _ others: UnsafeRawBufferPointer) -> Bool {
        guard let some = some.baseAddress, let start = others.baseAddress, !others.isEmpty else { return others.isEmpty }
        return memcmp(some, start, others.count) == 0
    }
}
