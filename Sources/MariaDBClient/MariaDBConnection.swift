package import Cryptography
package import Streams

/// How much of a server's time and words a connection takes.
package struct MariaDBLimits: Sendable, Hashable {
    /// How long the login may take, and each statement.
    package var step: Duration
    /// How long everything may take together, from connecting on.
    package var conversation: Duration
    /// How many bytes one answer may have, and all that comes before the login is done.
    package var answerBytes: Int
    package var rows: Int

    package init(
        step: Duration = .seconds(30), conversation: Duration = .seconds(300), answerBytes: Int = 1 << 20, rows: Int = 10_000
    ) {
        self.step = step
        self.conversation = conversation
        self.answerBytes = answerBytes
        self.rows = rows
    }
}

/// A connection to a server of MariaDB or MySQL that is logged in, by the client/server protocol. Its calls block.
///
/// `@unchecked` is safe as one thread at a time calls it: whoever owns the connection sees to that.
package final class MariaDBConnection: @unchecked Sendable {
    private let packets: Packets
    private let limits: MariaDBLimits
    /// When everything must be over.
    private let end: ContinuousClock.Instant
    /// What the server calls itself, such as `10.11.6-MariaDB-log`; its own words.
    package let serverVersion: String
    package let isMariaDB: Bool
    /// The plugin by which the password was proved.
    package let proof: String
    /// Whether TLS is in place and the server has proved who it is.
    package let provesServer: Bool
    private var isBroken = false

    package init(
        to endpoint: TransportEndpoint, user: String, password: borrowing Secret, limits: MariaDBLimits = MariaDBLimits()
    ) throws(MariaDBFault) {
        _ = try MariaDBQuoting.name(user)
        guard !password.isEmpty else { throw MariaDBFault(.badInput, "an empty password proves nothing") }
        end = ContinuousClock.now + limits.conversation
        let deadline = min(ContinuousClock.now + limits.step, end)
        let stream: TransportStream
        do throws(TransportFault) { stream = try TransportStream(to: endpoint, until: deadline) } catch {
            throw MariaDBFault(error)
        }
        packets = Packets(stream, budget: 65_536)
        self.limits = limits
        let login = MariaDBLogin(packets: packets, user: user, wantsTLS: endpoint.trust.isEncrypted, deadline: deadline)
        let (handshake, proof) = try login.run(password)
        serverVersion = handshake.version
        isMariaDB = handshake.isMariaDB
        self.proof = proof
        provesServer = stream.provesServer
    }
}

/// The answer to a statement: few rows, as text.
package struct MariaDBRows: Sendable, Hashable {
    package let columns: [String]
    package let rows: [[String?]]

    /// The value of a column in a row; nil for NULL, and for a row or a column that is not there.
    package func value(_ column: String, row: Int = 0) -> String? {
        guard rows.indices.contains(row), let index = columns.firstIndex(of: column), rows[row].indices.contains(index) else {
            return nil
        }
        return rows[row][index]
    }

    package var isEmpty: Bool { rows.isEmpty }
}

extension MariaDBConnection {
    /// Runs one statement; more than one in a text are refused by the server.
    @discardableResult
    package func run(_ statement: String) throws(MariaDBFault) -> MariaDBRows {
        guard !isBroken else { throw MariaDBFault(.cut, "the connection has ended") }
        let deadline = min(ContinuousClock.now + limits.step, end)
        do throws(MariaDBFault) {
            packets.begin(budget: limits.answerBytes)
            try packets.write([3] + Array(statement.utf8), until: deadline)
            return try answer(until: deadline)
        } catch {
            // After a refusal the connection can go on; after anything else nobody knows where in the talk it is.
            if case .refused = error.kind { throw error }
            isBroken = true
            guard error.kind == .timedOut, ContinuousClock.now >= end else { throw error }
            throw MariaDBFault(.timedOut, "the conversation took longer than \(limits.conversation.components.seconds) seconds")
        }
    }

    private func answer(until deadline: ContinuousClock.Instant) throws(MariaDBFault) -> MariaDBRows {
        let head = try packets.read(until: deadline)
        switch head.first {
        case 0x00: return MariaDBRows(columns: [], rows: [])
        case 0xFF: throw MariaDBLogin.refusal(head)
        // `LOAD DATA LOCAL`: the server wants a file of ours.
        case 0xFB, nil: throw MariaDBFault(.brokenProtocol, "an answer that was not asked for")
        default: break
        }
        var reader = PacketReader(head)
        guard let count = try reader.lengthEncoded(), (1...1000).contains(count), reader.isAtEnd else {
            throw MariaDBFault(.brokenProtocol, "not a number of columns")
        }
        var columns: [String] = []
        for _ in 0..<count { columns.append(try Self.columnName(packets.read(until: deadline))) }
        guard Self.isEnd(try packets.read(until: deadline)) else { throw MariaDBFault(.brokenProtocol, "the columns do not end") }
        var rows: [[String?]] = []
        while true {
            let packet = try packets.read(until: deadline)
            if Self.isEnd(packet) { return MariaDBRows(columns: columns, rows: rows) }
            if packet.first == 0xFF { throw MariaDBLogin.refusal(packet) }
            guard rows.count < limits.rows else { throw MariaDBFault(.brokenProtocol, "too many rows") }
            rows.append(try Self.row(packet, count))
        }
    }

    private static func isEnd(_ packet: [UInt8]) -> Bool { packet.first == 0xFE && packet.count < 9 }

    /// Catalogue, schema, table, original table, name.
    static func columnName(_ packet: [UInt8]) throws(MariaDBFault) -> String {
        var reader = PacketReader(packet)
        for _ in 0..<4 { _ = try reader.text() }
        return try reader.text() ?? ""
    }

    static func row(_ packet: [UInt8], _ count: Int) throws(MariaDBFault) -> [String?] {
        var reader = PacketReader(packet)
        var row: [String?] = []
        for _ in 0..<count { row.append(try reader.text()) }
        guard reader.isAtEnd else { throw MariaDBFault(.brokenProtocol, "a row is longer than its columns") }
        return row
    }
}
