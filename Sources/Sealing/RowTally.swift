internal import Cryptography
internal import Domain
internal import Storage

/// How many rows of a kind there are, and the sum of their marks: 256 bits as four 64-bit lanes, each modulo 2^64.
///
/// A mark is a keyed code of kind, id and content that nobody without the keys can compute, and the sums are never shown: so other rows
/// with the same sum cannot be looked for (multiset hash by addition; Clarke and others, ASIACRYPT 2003). Added, not XORed, since a row
/// that stands there twice must not cancel out.
struct RowTally: Sendable, Equatable {
    var count: Int64 = 0
    var lanes = SIMD4<UInt64>.zero

    mutating func add(_ mark: SIMD4<UInt64>) {
        count &+= 1
        lanes &+= mark
    }

    mutating func remove(_ mark: SIMD4<UInt64>) {
        count &-= 1
        lanes &-= mark
    }
}

/// What the ledger says: its generation, and a tally for each kind of row.
struct LedgerState: Sendable, Equatable {
    var generation: Int64
    var tallies = [RowTally](repeating: RowTally(), count: WatchedTable.all.count)

    init(generation: Int64) {
        self.generation = generation
    }

    /// 8 bytes of generation; for each kind 8 bytes of count and 32 of sum. Most significant byte first.
    var bytes: [UInt8] {
        var words = [UInt64(bitPattern: generation)]
        for tally in tallies { words += [UInt64(bitPattern: tally.count)] + (0..<4).map { tally.lanes[$0] } }
        return words.flatMap { word in stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
    }

    init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 8 + WatchedTable.all.count * 40 else { return nil }
        func word(_ index: Int) -> UInt64 { (0..<8).reduce(0) { $0 << 8 | UInt64(bytes[index * 8 + $1]) } }
        generation = Int64(bitPattern: word(0))
        tallies = WatchedTable.all.indices.map { kind in
            let start = 1 + kind * 5
            return RowTally(
                count: Int64(bitPattern: word(start)),
                lanes: SIMD4(word(start + 1), word(start + 2), word(start + 3), word(start + 4)))
        }
    }
}

/// Makes the marks of rows. Confined to one thread.
struct RowMarker {
    private let key: SymmetricKey
    private let hmac: HMACSHA256

    init(_ keys: VaultKeys) throws {
        key = keys.rowMark
        hmac = try HMACSHA256()
    }

    func mark(_ kind: String, _ id: [UInt8], _ content: [UInt8]) throws -> SIMD4<UInt64> {
        var message = CanonicalBytes(reservingCapacity: 128)
        message.append("keyturn/row-mark/v1")
        message.append(kind)
        message.append(id)
        message.append(content)
        let code = try hmac.authenticate(message.bytes, key: key)
        func lane(_ index: Int) -> UInt64 { code[(index * 8)..<(index * 8 + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
        return SIMD4(lane(0), lane(1), lane(2), lane(3))
    }

    /// The tally of a table as it is stored.
    func count(_ table: WatchedTable, on db: any SQLConnection) throws -> RowTally {
        var tally = RowTally()
        try RowLedgers.scan(table, on: db) { id, content in tally.add(try mark(table.kind, id, content)) }
        return tally
    }
}
