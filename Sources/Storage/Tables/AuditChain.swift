package import Domain

/// A stretch of the audit chain that is kept, archived and counted as one; the chain itself runs on through all of them.
package struct AuditSegment: Sendable, Equatable {
    package let number: Int64
    package let firstSeq: Int64
    /// The hash before its first entry.
    package let firstHash: [UInt8]
    package let started: Timestamp

    package init(number: Int64, firstSeq: Int64, firstHash: [UInt8], started: Timestamp) {
        self.number = number
        self.firstSeq = firstSeq
        self.firstHash = firstHash
        self.started = started
    }
}

package enum AuditSegments {
    package static func insert(_ segment: AuditSegment, _ connection: any SQLConnection) throws {
        _ = try connection.execute(
            "INSERT INTO audit_segments (number, first_seq, first_hash, started_ms) VALUES (?, ?, ?, ?)",
            [.integer(segment.number), .integer(segment.firstSeq), .blob(segment.firstHash), .time(segment.started)])
    }

    package static func last(_ connection: any SQLConnection) throws -> AuditSegment? {
        try connection.query(
            "SELECT number, first_seq, first_hash, started_ms FROM audit_segments ORDER BY number DESC LIMIT 1", [], segment
        ).first
    }

    package static func all(_ connection: any SQLConnection) throws -> [AuditSegment] {
        try connection.query("SELECT number, first_seq, first_hash, started_ms FROM audit_segments ORDER BY number", [], segment)
    }

    private static func segment(_ row: borrowing SQLRow) throws -> AuditSegment {
        AuditSegment(
            number: try row.integer(0), firstSeq: try row.integer(1), firstHash: try row.blob(2), started: try row.time(3))
    }
}

/// A signed statement of how far the chain reached, as it is stored.
package struct AuditCheckpointRow: Sendable, Equatable {
    package let seq: Int64
    package let count: Int64
    package let head: [UInt8]
    package let time: Timestamp
    /// The generation of the vault's rows; nil where it was not known.
    package let rows: Int64?
    package let keyID: String
    package let signature: [UInt8]

    package init(
        seq: Int64, count: Int64, head: [UInt8], time: Timestamp, rows: Int64? = nil, keyID: String, signature: [UInt8]
    ) {
        self.seq = seq
        self.count = count
        self.head = head
        self.time = time
        self.rows = rows
        self.keyID = keyID
        self.signature = signature
    }
}

package enum AuditCheckpoints {
    /// One a number: what was signed over already is not signed again.
    package static func insert(_ row: AuditCheckpointRow, _ connection: any SQLConnection) throws {
        _ = try connection.execute(
            """
            INSERT INTO audit_checkpoints (seq, count, head, time_ms, key_id, signature, rows_generation)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (seq) DO NOTHING
            """,
            [
                .integer(row.seq), .integer(row.count), .blob(row.head), .time(row.time), .text(row.keyID), .blob(row.signature),
                .integer(row.rows),
            ])
    }

    package static func last(_ connection: any SQLConnection) throws -> AuditCheckpointRow? {
        try connection.query(
            """
            SELECT seq, count, head, time_ms, key_id, signature, rows_generation
            FROM audit_checkpoints ORDER BY seq DESC LIMIT 1
            """, [], checkpoint
        ).first
    }

    /// The checkpoints after one number up to another, oldest first.
    package static func page(after seq: Int64, upTo last: Int64, _ connection: any SQLConnection) throws -> [AuditCheckpointRow] {
        try connection.query(
            """
            SELECT seq, count, head, time_ms, key_id, signature, rows_generation FROM audit_checkpoints
            WHERE seq > ? AND seq <= ? ORDER BY seq
            """, [.integer(seq), .integer(last)], checkpoint)
    }

    private static func checkpoint(_ row: borrowing SQLRow) throws -> AuditCheckpointRow {
        AuditCheckpointRow(
            seq: try row.integer(0), count: try row.integer(1), head: try row.blob(2), time: try row.time(3),
            rows: try row.integerOrNil(6), keyID: try row.text(4), signature: try row.blob(5))
    }
}

/// The public halves of the keys that signed checkpoints.
package enum AuditSigningKeys {
    package static func insert(id: String, publicKey: [UInt8], _ connection: any SQLConnection) throws {
        _ = try connection.execute(
            "INSERT INTO audit_signing_keys (key_id, public_key) VALUES (?, ?) ON CONFLICT (key_id) DO NOTHING",
            [.text(id), .blob(publicKey)])
    }

    package static func all(_ connection: any SQLConnection) throws -> [(id: String, publicKey: [UInt8])] {
        try connection.query("SELECT key_id, public_key FROM audit_signing_keys ORDER BY key_id", []) {
            (id: try $0.text(0), publicKey: try $0.blob(1))
        }
    }
}

/// Changes that were announced and whose outcome is not written yet; normally none or a few.
package enum AuditOpenIntents {
    package static func insert(request: RequestID, seq: Int64, _ connection: any SQLConnection) throws {
        _ = try connection.execute(
            "INSERT INTO audit_open_intents (seq, request_id) VALUES (?, ?)", [.integer(seq), .id(request)])
    }

    /// False if it was not open any more.
    @discardableResult
    package static func delete(seq: Int64, _ connection: any SQLConnection) throws -> Bool {
        try connection.execute("DELETE FROM audit_open_intents WHERE seq = ?", [.integer(seq)]) > 0
    }

    /// Oldest first.
    package static func all(_ connection: any SQLConnection) throws -> [(seq: Int64, request: RequestID)] {
        try connection.query("SELECT seq, request_id FROM audit_open_intents ORDER BY seq", []) {
            (seq: try $0.integer(0), request: try $0.id(1))
        }
    }
}
