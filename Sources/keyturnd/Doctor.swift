internal import ArgumentParser
internal import JSON
internal import Server

/// Looks for what is wrong.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look for what is wrong with a vault and its machine, and say what to do about it.",
        discussion: "The server may be running or stopped; nothing is changed. Ends with status 1 if something is wrong.")

    @OptionGroup var vault: VaultOptions
    @Flag(help: "Leave out what takes long: the databases' own checks and the audit chain.") var quick = false
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
        let findings = Doctor(configuration: try vault.configuration(), isQuick: quick).findings()
        let isWell = !findings.contains { $0.state == .wrong }
        if json {
            try Terminal.report(json: true) { result in
                result.field("healthy", isWell)
                result.array("findings") { list in
                    for finding in findings {
                        list.object {
                            $0.field("subject", finding.subject)
                            $0.field("state", finding.state.rawValue)
                            $0.field("detail", finding.detail)
                            $0.field("remedy", finding.remedy)
                        }
                    }
                }
            }
        } else {
            for finding in findings { Self.say(finding) }
        }
        guard isWell else { throw ExitStatus.failure }
    }

    private static func say(_ finding: Finding) {
        let mark =
            switch finding.state {
            case .fine: "ok      "
            case .warning: "warning "
            case .wrong: "WRONG   "
            }
        Terminal.say(mark + finding.subject + ": " + finding.detail)
        if let remedy = finding.remedy { Terminal.say("        -> " + remedy) }
    }
}
