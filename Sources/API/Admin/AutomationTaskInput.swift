internal import Cryptography
internal import Domain
internal import JSON

/// What a body says about a task, checked as far as that goes without looking anything up.
struct AutomationTaskInput: Sendable {
    var name: String
    var order: TaskOrder
    var timing: TaskTiming
    var recipients: [String]
    var isActive: Bool
    var comment: String
    /// Still in the body, which is wiped; nil where the secret is not to be changed.
    private let secret: JSONValue?
    private let passphrase: JSONValue?

    /// - Parameters:
    ///   - current: the stored task, for a change.
    ///   - keeps: whether absent fields stay as they are (PATCH).
    init(_ body: JSONObjectReader, kind: TaskKind, current: AutomationTask?, keeps: Bool) throws {
        let kept = keeps ? current : nil
        let name = body.required("name", .text(max: 128), current: kept?.name)
        let order = try Self.order(body, kind, kept?.order)
        let timing = Self.timing(body, kept?.timing)
        let recipients = body.optional("recipients", .list(of: .emailAddress, max: 100), default: kept?.recipients ?? [])
        let isActive = body.optional("is_active", .bool, default: kept?.isActive ?? true)
        let comment = body.optional("comment", .text(max: 4096, blank: true), default: kept?.comment ?? "")
        (secret, passphrase) = kind.setsSecret ? Self.secrets(body, order, current) : (nil, nil)
        body.ignoreReadOnly(of: AutomationTasksResource.schema(of: kind))
        (self.name, self.order, self.timing, self.recipients, self.isActive, self.comment) = try body.finish(
            name, order, timing, recipients, isActive, comment)
    }

    // MARK: - What is done

    private static func order(_ body: JSONObjectReader, _ kind: TaskKind, _ kept: TaskOrder?) throws -> TaskOrder? {
        var order = kept ?? TaskOrder(kind: kind)
        order.accounts = body.required("accounts", .list(of: .accountName, max: 1000), current: kept?.accounts) ?? []
        order.assets = body.optional("assets", .list(of: JSONRule<AssetID>.related(), max: 5000), default: order.assets) ?? []
        order.nodes = body.optional("nodes", .list(of: JSONRule<NodeID>.related(), max: 1000), default: order.nodes) ?? []
        (order.assets, order.nodes) = (Array(Set(order.assets)).sorted(), Array(Set(order.nodes)).sorted())
        order.worker = body.nullable("worker", .text(max: 128, trim: false), current: kept?.worker)
        if kind.changesTarget {
            order.parameters = body.optional("params", TaskParameters.rule, default: order.parameters) ?? TaskParameters()
            order.includesPrivileged = body.optional("include_privileged", .bool, default: order.includesPrivileged) ?? false
            order.includesSystem = body.optional("include_system", .bool, default: order.includesSystem) ?? false
        }
        if kind == .pushAccount {
            order.existing = body.optional("on_existing", .choice(ExistingPolicy.self), default: order.existing) ?? .nothing
        }
        if kind.setsSecret { readSecretKind(body, &order, kept) }
        return order
    }

    private static func readSecretKind(_ body: JSONObjectReader, _ order: inout TaskOrder, _ kept: TaskOrder?) {
        order.secretType = body.optional("secret_type", .choice([.password, .sshKey]), default: order.secretType) ?? .password
        order.strategy = body.required("secret_strategy", .choice(SecretStrategy.self), current: kept?.strategy) ?? .random
        order.keyStrategy =
            body.optional("ssh_key_change_strategy", .choice(KeyChangeStrategy.self), default: order.keyStrategy)
            ?? .replaceOurs
        order.checksConnection = body.optional("check_conn_after_change", .bool, default: order.checksConnection) ?? true
        let rule = JSONRule<PasswordRules>.passwordRules(default: PasswordRules.standard(for: ""))
        switch body.field("password_rules", rule) {
        case .value(let rules)?: order.passwordRules = rules.text
        case .null?: order.passwordRules = ""
        case .absent?, nil: break
        }
    }

    // MARK: - When

    private static func timing(_ body: JSONObjectReader, _ kept: TaskTiming?) -> TaskTiming? {
        var timing = kept ?? TaskTiming()
        timing.isPeriodic = body.optional("is_periodic", .bool, default: timing.isPeriodic) ?? false
        timing.crontab = body.nullable("crontab", .crontab, current: timing.crontab) ?? ""
        let hours = body.nullable("interval", .int(TaskSchedule.intervals), current: Int(clamping: timing.interval))
        timing.interval = hours.map { Int64($0) } ?? 0
        timing.zone = body.optional("timezone", .zoneName, default: timing.zone) ?? timing.zone
        timing.start = body.nullable("start_time", .date, current: timing.start)
        timing.missed = body.optional("on_missed", .choice(TaskSchedule.Missed.self), default: timing.missed) ?? .catchUp
        let jitter = body.optional("jitter", .int(0...Int(TaskSchedule.longestJitter)), default: Int(clamping: timing.jitter))
        timing.jitter = jitter.map { Int64($0) } ?? 0
        if timing.isPeriodic, timing.crontab.isEmpty, hours == nil {
            body.fail("crontab", "A periodic task needs a crontab or an interval.")
        }
        return timing
    }

    // MARK: - Secrets

    private static func secrets(
        _ body: JSONObjectReader, _ order: TaskOrder?, _ current: AutomationTask?
    ) -> (secret: JSONValue?, passphrase: JSONValue?) {
        var (secret, passphrase): (JSONValue?, JSONValue?) = (nil, nil)
        if case .value(let value)? = body.field("secret", .secret(max: 40_960, blank: true)), value.unescapedCount != 0 {
            secret = value
        }
        if case .value(let value)? = body.field("passphrase", .secret(max: 512, blank: true)), value.unescapedCount != 0 {
            passphrase = value
        }
        guard let order else { return (secret, passphrase) }
        let hasOwn = current.map { $0.secret != nil && $0.order.secretType == order.secretType } ?? false
        if order.strategy == .specific, secret == nil, !hasOwn { body.fail("secret", "A specific secret must be given.") }
        if hasOwn, secret == nil, let current, isUnchecked(order, current.order) {
            body.fail("secret", "The rules are new: the secret must be given again, to be checked against them.")
        }
        if order.strategy == .random, secret != nil { body.fail("secret", "A task with random secrets has none of its own.") }
        if passphrase != nil, order.secretType != .sshKey || secret == nil {
            body.fail("passphrase", "A passphrase belongs to a private key that is given with it.")
        }
        return (secret, passphrase)
    }

    /// Whether the secret that a task has was never checked against what the rules are now. It is not opened to be checked: whoever may
    /// set rules and see which of them it breaks could guess it.
    private static func isUnchecked(_ order: TaskOrder, _ before: TaskOrder) -> Bool {
        order.strategy == .specific && order.secretType == .password && !order.passwordRules.isEmpty
            && order.passwordRules != before.passwordRules
    }

    /// Whether what the platforms take is all that the password is checked against.
    var bringsPasswordWithoutRules: Bool { secret != nil && order.secretType == .password && order.passwordRules.isEmpty }

    /// The secret out of the body, once it fits its type and the rules: a private key is read, checked and kept without its passphrase. An
    /// RSA key takes a good part of a second, so this is not for a transaction. Nil where the body has none.
    ///
    /// - Parameter platforms: the types of those on which it will be set, as far as they are known.
    func makeSecret(for platforms: Set<String>) async throws -> SecretHandoff? {
        guard let secret else { return nil }
        if order.secretType == .sshKey { return try await PrivateKeyInput.unlocked(secret, passphrase: passphrase).get() }
        let text = try secret.secret()
        if let fault = text.withBytes({ fault($0, platforms) }) { throw Refusal.invalid("secret", fault) }
        return SecretHandoff(text)
    }

    private func fault(_ bytes: UnsafeRawBufferPointer, _ platforms: Set<String>) -> String? {
        // A line break would end the line that a target reads it from.
        if bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "Control characters are not allowed." }
        let violations: [PasswordViolation]
        if order.passwordRules.isEmpty {
            // What any takes is asked for also where nothing is known of them.
            let found = platforms.union([""]).sorted().flatMap { PasswordRules.violations(in: bytes, onPlatform: $0) }
            violations = found.enumerated().filter { !found[..<$0.offset].contains($0.element) }.map(\.element)
        } else {
            guard let rules = PasswordRules(text: order.passwordRules) else { return "The rules cannot be read." }
            violations = rules.violations(in: bytes)
        }
        return violations.isEmpty ? nil : violations.map(\.message).joined(separator: " ")
    }
}

// MARK: - Rules

extension JSONRule where Value == String {
    /// A user name, or `@ALL`; blank is the account without a name.
    fileprivate static var accountName: JSONRule {
        JSONRule<String>.text(max: 128, blank: true).then("Only @ALL may begin with @; control characters are not allowed.") {
            text in
            let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
            return isPlain && (!text.hasPrefix("@") || text == TaskOrder.allAccounts) ? text : nil
        }
    }

    /// An address as it stands behind `RCPT TO`, without a name beside it.
    fileprivate static var emailAddress: JSONRule {
        JSONRule<String>.text(max: 254).then("Enter a valid email address.") { text in
            let parts = text.split(separator: "@", omittingEmptySubsequences: false)
            let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !Self.delimiters.contains($0) }
            return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && isPlain ? text : nil
        }
    }

    private static var delimiters: Set<UInt8> { Set("<>()[],;:\\\"".utf8) }

    fileprivate static var crontab: JSONRule {
        JSONRule { json throws(JSONFieldErrors) in
            let text = try JSONRule<String>.text(max: 128, blank: true).read(json)
            guard !text.isEmpty else { return "" }
            let crontab = try crontab(text)
            guard crontab.startsAnHour <= TaskSchedule.mostStartsAnHour else {
                throw .value("A task may start \(TaskSchedule.mostStartsAnHour) times an hour at most.")
            }
            return crontab.text
        }
    }

    private static func crontab(_ text: String) throws(JSONFieldErrors) -> Crontab {
        do throws(CrontabFault) {
            return try Crontab(text)
        } catch {
            throw .value(error.description)
        }
    }

    fileprivate static var zoneName: JSONRule {
        .parsed("Expected the name of a time zone, such as Europe/Berlin.") { ZoneName($0)?.description }
    }
}
