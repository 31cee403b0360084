internal import CSQLite
internal import Glibc

/// Where a database lies, as SQLite is told.
struct DatabaseAddress {
    let name: String
    let flags: Int32

    /// - Parameter isReadOnly: whether nothing is going to be written.
    init(path: String, isReadOnly: Bool) {
        guard isReadOnly, Self.cannotChange(path) else {
            (name, flags) = (path, 0)
            return
        }
        // https://www.sqlite.org/uri.html
        name = "file:" + path.utf8.map(Self.escaped).joined() + "?immutable=1"
        flags = SQLITE_OPEN_URI
    }

    /// Whether nobody can write the file, and all of the database is in it.
    ///
    /// A database with a write-ahead log wants an index of it beside it even for reading, which a read-only file system does not take.
    /// Without a log there is nothing to be indexed.
    private static func cannotChange(_ path: String) -> Bool {
        guard access(path, F_OK) == 0, access(path, W_OK) != 0, errno == EROFS else { return false }
        return access(path + "-wal", F_OK) != 0
    }

    private static func escaped(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            String(UnicodeScalar(byte))
        default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
}
