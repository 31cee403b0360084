internal import CSQLite
internal import Glibc

extension StorageFault {
    /// Reads the fault of a failed call on a connection.
    static func sqlite(_ code: Int32, _ connection: OpaquePointer?) -> StorageFault {
        let system = connection.map { sqlite3_system_errno($0) } ?? 0
        switch code & 0xFF {
        case SQLITE_FULL: return .full
        case SQLITE_READONLY: return .readOnly
        case SQLITE_BUSY, SQLITE_LOCKED: return .busy
        case SQLITE_CORRUPT: return .corrupt(message(connection))
        case SQLITE_NOTADB: return .corrupt("not a database")
        case SQLITE_CONSTRAINT: return constraint(code, message(connection))
        case SQLITE_TOOBIG: return .tooLarge
        case SQLITE_NOMEM: return .outOfMemory
        case SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH:
            return .system(system, otherwise: code)
        default: return .statement(message(connection))
        }
    }

    /// Reads the fault of a failed call of the operating system.
    static func system(_ number: Int32, otherwise code: Int32 = 0) -> StorageFault {
        switch number {
        case ENOSPC, EDQUOT: .full
        case EROFS: .readOnly
        default: .io(code: number == 0 ? code : number)
        }
    }

    private static func constraint(_ code: Int32, _ message: String) -> StorageFault {
        let kind: Constraint =
            // The extended codes of sqlite3.h are cast macros, which Swift does not import: UNIQUE, PRIMARYKEY and ROWID;
            // FOREIGNKEY; NOTNULL; CHECK and DATATYPE.
            switch code {
            case 2067, 1555, 2579: .unique
            case 787: .foreignKey
            case 1299: .notNull
            case 275, 3091: .check
            default: .other
            }
        // "UNIQUE constraint failed: assets.org_id, assets.name": what follows names columns, never values.
        guard let colon = message.firstIndex(of: ":"), kind != .other else { return .constraint(kind, columns: "") }
        return .constraint(kind, columns: String(message[message.index(after: colon)...].drop { $0 == " " }))
    }

    private static func message(_ connection: OpaquePointer?) -> String {
        guard let connection, let text = sqlite3_errmsg(connection) else { return "" }
        return String(cString: text)
    }
}
