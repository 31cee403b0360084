internal import Automation
internal import Domain

extension Configuration {
    /// How much is done at the same time on targets, and how long.
    package struct Automation: Sendable, Equatable {
        package var executions = 16
        package var accountsAtOnce = 32
        package var accountsPerGateway = 8
        package var accountsPerHost = 1
        package var stepTimeout: Duration = .seconds(30)
        package var conversationTimeout: Duration = .seconds(300)
        package var rejectedLoginsPerDay = 2
        /// How long a change may be in doubt before somebody is told.
        package var uncertainAlert: Duration = .seconds(3600)
        /// How long executions and their records are kept.
        package var executionRetention: Duration = .seconds(400 * 86_400)
    }
}

extension Configuration.Automation {
    mutating func read(_ section: ConfigurationReader) {
        section.read("executions", into: &executions, .number(1...1_000))
        section.read("accounts_at_once", into: &accountsAtOnce, .number(1...1_000))
        section.read("accounts_per_gateway", into: &accountsPerGateway, .number(1...1_000))
        section.read("accounts_per_host", into: &accountsPerHost, .number(1...1_000))
        section.read("step_timeout", into: &stepTimeout, .duration(.seconds(1) ... .seconds(600)))
        section.read("conversation_timeout", into: &conversationTimeout, .duration(.seconds(1) ... .seconds(3600)))
        section.read("rejected_logins_per_day", into: &rejectedLoginsPerDay, .number(1...100))
        section.read("uncertain_alert", into: &uncertainAlert, .duration(.seconds(1) ... .seconds(30 * 86_400)))
        section.read(
            "execution_retention", into: &executionRetention, .duration(.seconds(86_400) ... .seconds(36_500 * 86_400)))
    }

    func apply(to options: inout AssemblyOptions) {
        options.limits = WorkLimits(
            executions: executions, overall: accountsAtOnce, perGateway: accountsPerGateway, perHost: accountsPerHost)
        options.turns.stepLimit = stepTimeout
        options.turns.conversationLimit = conversationTimeout
        options.turns.rejectedLogins = rejectedLoginsPerDay
        options.turns.uncertainAlert = uncertainAlert
        options.turns.executionRetention = executionRetention
    }
}
