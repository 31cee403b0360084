internal import CPostgres
package import Cryptography

/// A connection to a server of PostgreSQL that is logged in. Its calls block.
///
/// `@unchecked` is safe as one thread at a time calls it: whoever owns the connection sees to that.
package final class PostgresConnection: @unchecked Sendable {
    private let handle: OpaquePointer
    private let limits: PostgresLimits
    /// When everything must be over.
    private let end: ContinuousClock.Instant
    private var isBroken = false

    /// Connects and logs in. `proof` narrows what the channel would allow.
    package init(
        to endpoint: PostgresEndpoint, user: String, password: borrowing Secret, proof: PostgresProof = .any,
        limits: PostgresLimits = PostgresLimits()
    ) throws(PostgresFault) {
        end = ContinuousClock.now + limits.conversation
        handle = try PostgresLogin.run(endpoint, user: user, password: password, proof: proof, limits: limits)
        self.limits = limits
        guard PQsetnonblocking(handle, 1) == 0 else {
            throw PostgresFault(.brokenProtocol, "the connection cannot be made non-blocking")
        }
    }

    deinit { PQfinish(handle) }

    /// Whether the server asked for the password and got it: false behind `trust`, `peer`, a certificate.
    package var usedPassword: Bool { PQconnectionUsedPassword(handle) == 1 }

    /// 150004 is 15.4.
    package var serverVersion: Int { Int(PQserverVersion(handle)) }

    /// What the server stores for this password, made here so that the password itself is in no statement.
    package func verifier(
        for password: borrowing Secret, user: String, form: PostgresVerifierForm
    ) throws(PostgresFault) -> String {
        let text = try PostgresParameters.terminated(password)
        defer { PostgresParameters.wipe(text) }
        guard let made = PQencryptPasswordConn(handle, text, user, form.rawValue) else {
            throw PostgresFault(.badInput, message)
        }
        defer { PQfreemem(made) }
        return String(cString: made)
    }

    private var message: String { PQerrorMessage(handle).map { String(cString: $0) } ?? "" }
}

/// How a server stores passwords: the values of its setting `password_encryption`.
package enum PostgresVerifierForm: String, Sendable, Hashable, CaseIterable {
    case scram = "scram-sha-256"
    case md5

    /// The form of a stored verifier; nil for what is neither.
    package init?(ofVerifier text: String) {
        if text.hasPrefix("SCRAM-SHA-256$") {
            self = .scram
        } else if text.hasPrefix("md5"), text.utf8.count == 35 {
            self = .md5
        } else {
            return nil
        }
    }
}

extension PostgresConnection {
    /// Runs one statement. More than one in a text is refused by the server, as the extended protocol takes only one.
    @discardableResult
    package func run(_ statement: String, _ values: [String?] = []) throws(PostgresFault) -> PostgresRows {
        guard !isBroken else { throw PostgresFault(.cut, "the connection has ended") }
        guard !statement.utf8.contains(0), !values.contains(where: { $0?.utf8.contains(0) == true }) else {
            throw PostgresFault(.badInput, "a NUL byte")
        }
        let deadline = min(ContinuousClock.now + limits.step, end)
        do throws(PostgresFault) {
            let mark = PostgresSocket.received(PQsocket(handle))
            try send(statement, values)
            try flush(until: deadline, mark)
            return try collect(until: deadline, mark)
        } catch {
            // After a plain refusal the connection can go on; after anything else nobody knows where in the talk it is.
            if case .refused(_, isFatal: false) = error.kind { throw error }
            isBroken = true
            guard error.kind == .timedOut, ContinuousClock.now >= end else { throw error }
            throw PostgresFault(.timedOut, "the conversation took longer than \(limits.conversation.components.seconds) seconds")
        }
    }

    private func send(_ statement: String, _ values: [String?]) throws(PostgresFault) {
        let copies = values.map { value in value.map { Array($0.utf8CString) } }
        var pointers: [UnsafePointer<CChar>?] = []
        let buffers = copies.map { copy -> UnsafeMutableBufferPointer<CChar>? in
            guard let copy else { return nil }
            let buffer = UnsafeMutableBufferPointer<CChar>.allocate(capacity: copy.count)
            _ = buffer.initialize(from: copy)
            return buffer
        }
        defer { buffers.forEach { $0?.deallocate() } }
        for buffer in buffers { pointers.append(UnsafePointer(buffer?.baseAddress)) }
        guard PQsendQueryParams(handle, statement, Int32(values.count), nil, pointers, nil, nil, 0) == 1 else {
            throw PostgresFault(.cut, message)
        }
    }

    private func flush(until deadline: ContinuousClock.Instant, _ mark: Int64) throws(PostgresFault) {
        while true {
            let left = PQflush(handle)
            if left == 0 { return }
            guard left > 0 else { throw PostgresFault(.cut, message) }
            if try PostgresSocket.wait(PQsocket(handle), .either, until: deadline) { try consume(mark) }
        }
    }

    private func consume(_ mark: Int64) throws(PostgresFault) {
        guard PostgresSocket.received(PQsocket(handle)) - mark <= limits.answerBytes else {
            throw PostgresFault(.brokenProtocol, "the answer is too long")
        }
        guard PQconsumeInput(handle) == 1 else { throw PostgresFault(.cut, message) }
    }

    private func collect(until deadline: ContinuousClock.Instant, _ mark: Int64) throws(PostgresFault) -> PostgresRows {
        var rows = PostgresRows(columns: [], rows: [])
        var fault: PostgresFault?
        while true {
            while PQisBusy(handle) == 1 {
                try PostgresSocket.wait(PQsocket(handle), .readable, until: deadline)
                try consume(mark)
            }
            guard let result = PQgetResult(handle) else { break }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: break
            case PGRES_TUPLES_OK: rows = try read(result)
            case PGRES_FATAL_ERROR: fault = fault ?? failure(in: result)
            default: throw PostgresFault(.brokenProtocol, "an answer that was not asked for")
            }
        }
        if let fault { throw fault }
        guard PQstatus(handle) == CONNECTION_OK else { throw PostgresFault(.cut, message) }
        return rows
    }

    private func read(_ result: OpaquePointer) throws(PostgresFault) -> PostgresRows {
        let columnCount = PQnfields(result)
        let rowCount = PQntuples(result)
        guard rowCount <= limits.rows, columnCount <= 1000 else { throw PostgresFault(.brokenProtocol, "too many rows") }
        let columns = (0..<columnCount).map { column in PQfname(result, column).map { String(cString: $0) } ?? "" }
        let rows = (0..<rowCount).map { row in
            (0..<columnCount).map { column -> String? in
                guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return nil }
                let bytes = UnsafeRawBufferPointer(start: start, count: Int(max(0, PQgetlength(result, row, column))))
                return String(decoding: bytes, as: UTF8.self)
            }
        }
        return PostgresRows(columns: columns, rows: rows)
    }

    /// The fields of a refusal (manual, 55.8).
    private func failure(in result: OpaquePointer) -> PostgresFault {
        func field(_ code: Character) -> String? {
            code.asciiValue.flatMap { PQresultErrorField(result, Int32($0)) }.map { String(cString: $0) }
        }
        guard let sqlState = field("C") else {
            return PostgresFault(PQstatus(handle) == CONNECTION_BAD ? .cut : .brokenProtocol, message)
        }
        let words = [field("M"), field("D"), field("H")].compactMap { $0 }.joined(separator: " ")
        return PostgresFault(.refused(sqlState: sqlState, isFatal: field("V") != "ERROR"), words)
    }
}
