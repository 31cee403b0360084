package import Domain
package import Sealing
package import Storage
internal import Cryptography
internal import Synchronization

/// Keeps the compiled policies of all applications, rebuilt when something they rest on changes and never per request.
///
/// A row that does not authenticate, or whose policy does not compile, is left out: its key is unknown then, and the fault is reported.
package final class PolicyStore: Sendable {
    private let database: Database
    private let keyring: Keyring
    private let current = Mutex<PolicySnapshot?>(nil)
    /// Held while reading and storing, so that of two reloads the one that read later also stores later.
    private let building = Mutex(())
    private let onFault: @Sendable (String) -> Void

    /// `onFault` hears of rows that were left out.
    package init(database: Database, keyring: Keyring, onFault: @escaping @Sendable (String) -> Void) {
        self.database = database
        self.keyring = keyring
        self.onFault = onFault
    }

    /// The policies as they stand; nil while the vault is sealed.
    package var snapshot: PolicySnapshot? { current.withLock { $0 } }

    /// Forgets everything, opened credentials too.
    package func clear() { current.withLock { $0 = nil } }

    /// Builds everything anew: at unseal, and when organizations or nodes change.
    package func reload() async throws {
        try await database.read { [self] db in
            try building.withLock { _ in
                let snapshot = try PolicyCompiler(keys: keyring.keys(), onFault: onFault).snapshot(in: db)
                current.withLock { if !keyring.isSealed { $0 = snapshot } }
            }
        }
    }

    /// Builds one application's policies anew, or takes them out if it is gone.
    package func reload(_ application: ApplicationID, in organization: OrganizationID) async throws {
        try await database.read { [self] db in
            try building.withLock { _ in
                let policies = try PolicyCompiler(keys: keyring.keys(), onFault: onFault).policies(
                    of: application, in: organization, db)
                current.withLock { $0 = $0?.replacing(application, with: policies) }
            }
        }
    }
}
