internal import CPostgres
internal import Cryptography
internal import CPostgresShim

/// Leads libpq through a login, step by step, within a deadline.
enum PostgresLogin {
    /// The connected handle, which belongs to the caller.
    static func run(
        _ endpoint: PostgresEndpoint, user: String, password: borrowing Secret, proof: PostgresProof, limits: PostgresLimits
    ) throws(PostgresFault) -> OpaquePointer {
        let deadline = ContinuousClock.now + min(limits.step, limits.conversation)
        let parameters = try PostgresParameters(endpoint, user: user, password: password, proof: proof, limits: limits)
        guard let handle = parameters.start() else { throw PostgresFault(.unreachable, "no memory") }
        do throws(PostgresFault) {
            // Notices are printed unless somebody takes them.
            PQsetNoticeReceiver(handle, { _, _ in }, nil)
            // With the SQLSTATE in the text: libpq gives the fields of a refused login nowhere else.
            PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
            try lead(handle, gated: endpoint.channel == .clear, limits, until: deadline)
            return handle
        } catch {
            PQfinish(handle)
            throw error
        }
    }

    private static func lead(
        _ handle: OpaquePointer, gated: Bool, _ limits: PostgresLimits, until deadline: ContinuousClock.Instant
    ) throws(PostgresFault) {
        guard PQstatus(handle) != CONNECTION_BAD else { throw failure(of: handle, at: CONNECTION_STARTED) }
        var gate: ScramGate?
        var step = PGRES_POLLING_WRITING
        var reached = CONNECTION_STARTED
        while true {
            if step == PGRES_POLLING_READING { try gate?.carryIn(until: deadline) }
            try PostgresSocket.wait(
                PQsocket(handle), step == PGRES_POLLING_READING ? .readable : .writable, until: deadline)
            guard PostgresSocket.received(PQsocket(handle)) <= limits.answerBytes else {
                throw PostgresFault(.brokenProtocol, "too much before the login was done")
            }
            step = PQconnectPoll(handle)
            if step == PGRES_POLLING_OK { break }
            guard step != PGRES_POLLING_FAILED else { throw failure(of: handle, at: reached) }
            reached = PQstatus(handle)
            if gated && gate == nil && reached == CONNECTION_MADE { gate = try ScramGate(onto: PQsocket(handle)) }
            try gate?.carryOut(until: deadline)
        }
        guard !gated || gate?.isOpen == true else { throw PostgresFault(.brokenProtocol, "a login without SCRAM") }
    }

    /// What libpq's text about a failed login means.
    private static func failure(of handle: OpaquePointer, at reached: ConnStatusType) -> PostgresFault {
        let words = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        if let sqlState = sqlState(in: words) { return PostgresFault(.refused(sqlState: sqlState, isFatal: true), words) }
        // libpq's own words are English here: the process never sets a locale of its own.
        if words.contains("server authenticated client without channel binding") { return PostgresFault(.notAsked, words) }
        if words.contains("server closed the connection") || words.contains("could not receive data") {
            return PostgresFault(reached == CONNECTION_STARTED ? .unreachable : .cut, words)
        }
        for sign in ["channel binding", "SSL", "certificate"] where words.contains(sign) {
            return PostgresFault(.noSafeChannel, words)
        }
        if reached == CONNECTION_STARTED || reached == CONNECTION_NEEDED { return PostgresFault(.unreachable, words) }
        return PostgresFault(.brokenProtocol, words)
    }

    /// The SQLSTATE in `FATAL:  28P01: …`, five characters between two colons.
    static func sqlState(in words: String) -> String? {
        let bytes = Array(words.utf8)
        let space = UInt8(ascii: " ")
        let colon = UInt8(ascii: ":")
        for start in bytes.indices where bytes[start] == colon && start + 8 < bytes.count {
            guard bytes[start + 1] == space, bytes[start + 2] == space, bytes[start + 8] == colon else { continue }
            let state = bytes[(start + 3)..<(start + 8)]
            if state.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }) {
                return String(decoding: state, as: UTF8.self)
            }
        }
        return nil
    }
}
