internal import Cryptography
internal import Domain
package import Storage
internal import Synchronization

/// Knows which rows there are, so that an older row with a good code of its own, put back, or a row taken away, is noticed.
///
/// Each transaction that changes a watched row takes the change into the ledger's sums and raises its generation; a check counts all rows
/// anew. Reading rows costs nothing. The last generation is remembered while the process runs, and audit checkpoints carry it outside.
package final class RowLedger: RowWitness, Sendable {
    /// Which rows a check goes through.
    package enum Scope: Sendable {
        /// All but assets and accounts: some milliseconds.
        case small
        /// Everything: seconds for a million accounts.
        case all
        /// One kind.
        case only(RowKind)

        fileprivate func covers(_ table: WatchedTable) -> Bool {
            switch self {
            case .small: !table.isLarge
            case .all: true
            case .only(let kind): table.kind == kind.rawValue
            }
        }
    }

    private struct Memory: Sendable {
        /// What is durable, as far as this process knows.
        var known: RowLedgers.Stored?
        /// What `settle` wrote and no commit has confirmed.
        var pending: RowLedgers.Stored?
        var observer: (@Sendable (Int64) -> Void)?
    }

    private let held: HeldKeys
    private let memory = Mutex(Memory())

    init(held: HeldKeys) {
        self.held = held
    }

    /// The generation that is durable, as far as this process knows; nil before the first check.
    package var generation: Int64? { memory.withLock { $0.known?.generation } }

    /// Hears of each new generation once it is durable.
    package func observe(_ observer: @escaping @Sendable (Int64) -> Void) {
        let known = memory.withLock { memory in
            memory.observer = observer
            return memory.known?.generation
        }
        if let known { observer(known) }
    }

    // MARK: - Writing

    package func settle(_ changes: [RowChange], on db: any SQLConnection) throws {
        let keys = try held.keys()
        var state = try read(keys, known: memory.withLock { $0.known }, on: db)
        let marker = try RowMarker(keys.vault())
        for change in changes {
            guard let index = WatchedTable.all.firstIndex(where: { $0.kind == change.kind }) else {
                throw SealingFault.rowLedger("a change of an unknown kind")
            }
            let mark = try marker.mark(change.kind, change.id, change.content)
            guard change.isGain else {
                state.tallies[index].remove(mark)
                continue
            }
            // Whoever made the row before the keys were replaced must make it again, or its key could not be retired.
            guard !WatchedTable.all[index].isAuthenticated || change.content.starts(with: keys.activeRowKey.prefix) else {
                throw SealingFault.rowLedger("a row that was made under a former key")
            }
            state.tallies[index].add(mark)
        }
        state.generation &+= 1
        let stored = try write(state, keys, on: db)
        memory.withLock { $0.pending = stored }
    }

    package func committed() {
        let (observer, generation) = memory.withLock { memory in
            memory.known = memory.pending ?? memory.known
            memory.pending = nil
            return (memory.observer, memory.known?.generation)
        }
        if let observer, let generation { observer(generation) }
    }

    /// Takes the rows as they are for the right ones: in a new vault, or by the operator's word. In the caller's transaction.
    ///
    /// - Parameter above: the new generation is above this and above what is stored.
    func establish(_ keys: KeySet, above generation: Int64 = 0, on db: any SQLConnection) throws {
        let former = try RowLedgers.get(on: db)?.generation ?? 0
        var state = LedgerState(generation: max(former, generation, 0))
        state.generation &+= 1
        let marker = try RowMarker(keys.vault())
        state.tallies = try WatchedTable.all.map { try marker.count($0, on: db) }
        _ = try write(state, keys, on: db)
    }

    // MARK: - Checking

    /// Counts the rows in the caller's read transaction and compares. Throws `rowLedger`.
    ///
    /// - Parameter known: what this process knew before the transaction began; what is stored must not be older.
    func check(_ scope: Scope, _ keys: KeySet, known: RowLedgers.Stored?, on db: any SQLConnection) throws {
        let state = try read(keys, known: known, on: db)
        let marker = try RowMarker(keys.vault())
        var faulty: [String] = []
        for (table, tally) in zip(WatchedTable.all, state.tallies) where scope.covers(table) {
            if try marker.count(table, on: db) != tally { faulty.append(table.kind) }
        }
        guard faulty.isEmpty else {
            throw SealingFault.rowLedger("rows were put back, taken away or added: " + faulty.joined(separator: ", "))
        }
        let stored = try RowLedgers.get(on: db)
        memory.withLock { memory in
            // A commit since then knows better.
            if memory.known?.generation ?? -1 < stored?.generation ?? -1 { memory.known = stored }
        }
    }

    var known: RowLedgers.Stored? { memory.withLock { $0.known } }

    /// Forgets what was known, for a database that is opened anew.
    func forget() { memory.withLock { ($0.known, $0.pending) = (nil, nil) } }

    // MARK: - Form

    private func read(_ keys: KeySet, known: RowLedgers.Stored?, on db: any SQLConnection) throws -> LedgerState {
        guard let stored = try RowLedgers.get(on: db) else { throw SealingFault.rowLedger("the ledger of rows is missing") }
        if let known, stored.generation < known.generation || (stored.generation == known.generation && stored != known) {
            throw SealingFault.rowLedger("the ledger of rows is older than it was")
        }
        let state: LedgerState?
        do {
            let opened = try AES256GCM().open(
                stored.sealed, key: keys.vault().rowLedger, associatedData: Self.associatedData(stored.generation))
            state = opened.withBytes { LedgerState(bytes: $0) }
        } catch is CryptographyFault {
            throw SealingFault.rowLedger("the ledger of rows was changed")
        }
        guard let state, state.generation == stored.generation else {
            throw SealingFault.rowLedger("the ledger of rows has another form")
        }
        return state
    }

    private func write(_ state: LedgerState, _ keys: KeySet, on db: any SQLConnection) throws -> RowLedgers.Stored {
        let sealed = try state.bytes.withUnsafeBytes {
            try AES256GCM().seal($0, key: keys.vault().rowLedger, associatedData: Self.associatedData(state.generation))
        }
        let stored = RowLedgers.Stored(generation: state.generation, sealed: sealed)
        try RowLedgers.put(stored, on: db)
        return stored
    }

    private static func associatedData(_ generation: Int64) -> [UInt8] {
        var data = CanonicalBytes(reservingCapacity: 48)
        data.append("keyturn/row-ledger/v1")
        data.append(generation)
        return data.bytes
    }
}

/// The keys in memory, shared by the keyring and its ledger.
final class HeldKeys: Sendable {
    private let current = Mutex<KeySet?>(nil)

    func withLock<Value>(_ body: (inout KeySet?) throws -> Value) rethrows -> Value { try current.withLock { try body(&$0) } }

    func keys() throws(SealingFault) -> KeySet {
        guard let keys = current.withLock({ $0 }) else { throw .sealed }
        return keys
    }
}
