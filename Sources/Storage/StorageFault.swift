/// Why the storage could not do what it was asked; the texts carry no stored values.
package enum StorageFault: Error, Sendable, Equatable {
    /// The disk (or a quota on it) is full; nothing of the transaction was kept.
    case full
    /// The file or file system cannot be written.
    case readOnly
    /// Another connection held the lock for longer than the busy time.
    case busy
    /// What is stored is not what can have been written: the file is damaged or a column has a wrong form.
    case corrupt(String)
    /// A rule of the schema stands against the change.
    case constraint(Constraint, columns: String)
    /// The database was written by a newer version of the program.
    case newerSchema(found: Int64, known: Int64)
    /// The schema has steps to go: `migrate` first.
    case olderSchema(found: Int64, known: Int64)
    /// Owner or mode of a file are not safe; the remedy is a shell command.
    case notPermitted(String, remedy: String)
    /// Another process uses the data directory; its process id where it is known.
    case locked(by: Int32?)
    /// A file is not there.
    case missing(String)
    /// The operating system refused; its `errno`, or SQLite's extended code where there is none.
    case io(code: Int32)
    /// A value or the result is larger than SQLite takes.
    case tooLarge
    case outOfMemory
    /// The transaction was rolled back by an earlier failure in it.
    case transactionLost
    /// The statement itself is wrong: a fault of this program.
    case statement(String)
    /// The database was closed.
    case closed

    /// What kind of rule was broken.
    package enum Constraint: String, Sendable {
        case unique, foreignKey, notNull, check, other
    }
}

extension StorageFault: CustomStringConvertible {
    /// One line for logs and the operator.
    package var description: String {
        switch self {
        case .full: "the disk is full"
        case .readOnly: "the database cannot be written: the file or its file system is read-only"
        case .busy: "the database is locked by another connection"
        case .corrupt(let what): "the database is damaged: " + what
        case .constraint(let kind, let columns): "constraint (\(kind.rawValue)): " + columns
        case .newerSchema(let found, let known):
            "the database has schema \(found), this program knows \(known): use a newer program"
        case .olderSchema(let found, let known): "the database has schema \(found), this program needs \(known): run migrate"
        case .notPermitted(let what, let remedy): what + "; repair it with: " + remedy
        case .locked(let process): "the data directory is in use" + (process.map { " by process \($0)" } ?? "")
        case .missing(let path): "there is no " + path
        case .io(let code): "input/output error \(code)"
        case .tooLarge: "a value is too large"
        case .outOfMemory: "out of memory"
        case .transactionLost: "the transaction was rolled back by an earlier failure"
        case .statement(let message): "faulty statement: " + message
        case .closed: "the database is closed"
        }
    }
}
