package import Storage

/// Writes entries as lines of JSON, oldest first: `{"seq":…,` then the entry's fields as they are chained, then `"hash":"…"}`.
///
/// The body that the hash covers is the line without `seq` and `hash`, byte for byte, so a reader can check the chain itself.
package enum AuditExport {
    /// Appends at most `limit` lines after entry `seq` to `bytes`; returns the last entry's number to go on from, nil when there is none.
    package static func page(
        after seq: Int64, limit: Int64 = 1000, into bytes: inout [UInt8], _ connection: any SQLConnection
    ) throws -> Int64? {
        let rows = try AuditEntries.page(after: seq, limit: limit, connection)
        for row in rows { append(row, to: &bytes) }
        return rows.last?.seq
    }

    /// Writes everything after an entry, page by page, in bounded memory; returns the last number written. Blocks.
    @discardableResult
    package static func stream(
        after seq: Int64 = 0, _ connection: any SQLConnection, to sink: ([UInt8]) throws -> Void
    ) throws -> Int64 {
        var last = seq
        var bytes: [UInt8] = []
        while true {
            bytes.removeAll(keepingCapacity: true)
            guard let next = try page(after: last, into: &bytes, connection) else { return last }
            try sink(bytes)
            last = next
        }
    }

    private static func append(_ row: AuditRow, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "{\"seq\":\(row.seq)".utf8)
        // Without its braces; an empty body cannot be written by us, but may stand in a database that was changed.
        let fields = row.body.dropFirst().dropLast()
        if !fields.isEmpty {
            bytes.append(UInt8(ascii: ","))
            bytes.append(contentsOf: fields)
        }
        bytes.append(contentsOf: ",\"hash\":\"".utf8)
        Hexadecimal.append(row.hash, to: &bytes)
        bytes.append(contentsOf: "\"}\n".utf8)
    }
}
