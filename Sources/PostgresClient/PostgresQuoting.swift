/// The one place where text becomes part of an SQL statement of PostgreSQL.
package enum PostgresQuoting {
    /// `NAMEDATALEN - 1`: longer names are cut by the server, silently, and would then mean another object.
    package static let longestName = 63

    /// A name between double quotes (manual, 4.1.1). Refuses what a name cannot be, rather than name something else.
    package static func identifier(_ name: String) throws(PostgresFault) -> String {
        let count = name.utf8.count
        guard count > 0 else { throw PostgresFault(.badInput, "an empty name") }
        guard count <= longestName else { throw PostgresFault(.badInput, "a name is at most \(longestName) bytes long") }
        return try "\"" + doubled(name, UInt8(ascii: "\"")) + "\""
    }

    /// A string between single quotes, read the same whatever `standard_conforming_strings` says.
    package static func literal(_ text: String) throws(PostgresFault) -> String {
        let quoted = try doubled(text, UInt8(ascii: "'"))
        guard quoted.utf8.contains(UInt8(ascii: "\\")) else { return "'" + quoted + "'" }
        return try " E'" + doubled(quoted, UInt8(ascii: "\\")) + "'"
    }

    // Over bytes: over characters, a quote followed by a combining mark would be one character that is not a quote.
    private static func doubled(_ text: String, _ quote: UInt8) throws(PostgresFault) -> String {
        guard !text.utf8.contains(0) else { throw PostgresFault(.badInput, "a NUL byte") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 8)
        for byte in text.utf8 {
            if byte == quote { bytes.append(byte) }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
