internal import API
internal import Access
internal import Audit
internal import Cryptography
internal import Domain
internal import Glibc
internal import HTTPServer
internal import JSON
internal import Sealing
internal import Storage

/// Carries out the operator's commands on the assembled server.
struct RunningServer: ControlCommands {
    let assembly: Assembly
    let configuration: Configuration
    let started: Timestamp
    /// Reads certificate and log level again.
    let rereads: @Sendable () async throws -> Void

    func status() async throws -> ControlAnswer {
        let (audit, statistics) = (assembly.audit.status, assembly.listener.statistics)
        let (reasons, isSealed) = (assembly.health.reasons, assembly.keyring.isSealed)
        let schema = try await Blocking.run { [assembly] in try assembly.database.schemaVersion() }
        return .done { result in
            result.field("running", true)
            result.field("version", ProductVersion.current)
            result.field("process", getpid())
            result.field("started", WireDate.format(started))
            result.field("sealed", isSealed)
            result.field("ready", reasons.isEmpty)
            result.field("reasons", reasons.map(\.detail))
            result.field("listen", ListenAddress(host: configuration.listen.host, port: assembly.listener.port).description)
            result.field("plain_listen", configuration.plainListen?.description)
            result.field("data_directory", configuration.dataDirectory)
            result.field("key_directory", configuration.keys)
            result.field("schema", schema)
            result.field("connections", statistics.openConnections)
            result.field("requests", statistics.requests)
            result.object("audit") {
                $0.field("healthy", audit.isHealthy)
                $0.field("fault", audit.fault)
                $0.field("checkpoint_file", configuration.checkpoints)
                $0.field("checkpoint_fault", audit.checkpointFault)
                $0.field("entries", audit.head.seq)
                $0.field("signed", audit.signedSeq)
            }
            result.object("disk") {
                $0.field("free_bytes", assembly.directory.freeBytes)
                $0.field("reserve_held", assembly.directory.reserve.isHeld)
            }
        }
    }

    func unseal(_ key: ControlKey, by actor: Actor) async throws {
        // A wrong code for a vault that is open must not close it.
        guard assembly.keyring.isSealed else { throw Refusal.conflict("the vault is not sealed") }
        try await assembly.unseal(with: key.unsealer(keys: configuration.keys), by: actor)
    }

    func seal(by actor: Actor) async throws {
        guard !assembly.keyring.isSealed else { throw Refusal.conflict("the vault is sealed already") }
        try await assembly.seal(by: actor)
    }

    func snapshot(to directory: String) async throws -> ControlAnswer {
        try await assembly.audit.settle()
        let manifest = try await Blocking.run { [assembly, configuration] in
            try Snapshot.write(
                database: assembly.database, audit: assembly.auditDatabase, checkpoints: configuration.checkpoints, to: directory)
        }
        return .done { manifest.write(directory, to: &$0) }
    }

    func reload() async throws { try await rereads() }

    func checkpoint() async throws -> ControlAnswer {
        try await assembly.audit.settle()
        let status = assembly.audit.status
        return .done {
            $0.field("entries", status.head.seq)
            $0.field("signed", status.signedSeq)
        }
    }

    func rekey(_ key: ControlKey, request: Domain.RequestID) async throws -> ControlAnswer {
        guard !assembly.keyring.isSealed else { throw Refusal.sealed }
        let rekey = Rekey(assembly.keyring, openedBy: try key.unsealer(keys: configuration.keys))
        let report = try await Blocking.run { try rekey.run(marking: request) }
        return .done { report.write(to: &$0) }
    }

    func resetPassword(of username: String, to password: SecretHandoff, request: Domain.RequestID) async throws {
        guard !assembly.keyring.isSealed else { throw Refusal.sealed }
        try await PasswordReset.run(
            of: username, to: password, request: request, database: assembly.database, keyring: assembly.keyring)
        // The user's logins were ended; what is kept of them in memory admits nobody, so a failure here is none of the command's.
        try? await assembly.backend.logins.reloadLive()
    }
}
