internal import ArgumentParser

/// Commands about the audit log.
struct AuditCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Verify or export the audit log.",
        subcommands: [AuditVerify.self, AuditExportCommand.self])
}
