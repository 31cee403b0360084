package import Cryptography
internal import Domain
internal import SSH

extension LinuxSession: SecretChanging {
    /// Root's changes do not ask for the target's own rules: neither for the minimum age nor, unless PAM is told so, for quality and
    /// history. So the minimum age is looked up here; `ignore_minimum_age` = `true` among the parameters leaves it aside.
    package func prepare(_ request: ChangeRequest) throws(ConnectorFault) {
        let (name, entry) = try found(request.username)
        switch request.secretType {
        case .password: try preparePassword(entry, request)
        case .sshKey: try prepareKeys(name, entry)
        case .accessKey, .token, .apiKey: throw ConnectorFault(.unsupported, effect: .none, words: "a host has no such secrets")
        }
    }

    package func install(_ request: ChangeRequest, secret: borrowing Secret) throws(ConnectorFault) {
        switch request.secretType {
        case .password:
            guard let name = LinuxName(request.username) else { throw ConnectorFault(.noSuchAccount, effect: .none) }
            try setPassword(of: name, to: secret)
        case .sshKey:
            let (name, entry) = try existing(request.username)
            try addKey(of: secret, name, entry)
        case .accessKey, .token, .apiKey: throw ConnectorFault(.unsupported, effect: .none)
        }
    }

    package func retire(
        _ request: ChangeRequest, keeping secret: borrowing Secret, old: borrowing Secret?
    ) throws(ConnectorFault) {
        guard request.secretType == .sshKey, request.keyStrategy != .append else { return }
        let (name, entry) = try existing(request.username)
        try removeKeys(besides: secret, old: old, strategy: request.keyStrategy, name, entry)
    }
}

extension LinuxSession {
    private func preparePassword(_ entry: LinuxEntry, _ request: ChangeRequest) throws(ConnectorFault) {
        switch entry.password {
        case .locked:
            throw ConnectorFault(.lockedOut, effect: .none, words: "the account is locked, and a new password would unlock it")
        case .elsewhere:
            throw ConnectorFault(.unsupported, effect: .none, words: "the host does not keep this account's password itself")
        case .set, .none, .empty: break
        }
        if let until = entry.minimumAgeEnds, request.parameters["ignore_minimum_age"] != "true" {
            let words = "the password was changed less than \(entry.minimumDays ?? 0) days ago"
            throw ConnectorFault(.refusedByPolicy(PolicyRefusal(kind: .minimumAge, until: until, words: words)), effect: .none)
        }
        guard entry.takesPasswords else {
            throw ConnectorFault(.unsupported, effect: .none, words: "there is no chpasswd, or /etc/shadow cannot be written")
        }
    }

    /// How the script ends where there is no such account, and where that cannot be told: numbers that chpasswd(8) does not have.
    private static let gone: Int32 = 70
    private static let unanswered: Int32 = 71

    /// Sets a password with chpasswd(8), which reads it from its standard input.
    func setPassword(of name: LinuxName, to secret: borrowing Secret) throws(ConnectorFault) {
        guard Self.canBeTyped(secret) else {
            throw ConnectorFault(
                .unsupported, effect: .none, words: "a host's password has 1 to 500 bytes and no control characters")
        }
        let line: [SSHInput] = [.text(name.text + ":"), .secret(SSHSecret(secret.duplicate())), .text("\n")]
        // Asked only when it failed, which costs the host a process less. A name of digits would find the account with that number.
        let isThere =
            "p=$(getent passwd -- \(name.word)); case $? in 0) ;; 2) exit \(Self.gone) ;; *) exit \(Self.unanswered) ;; esac; "
            + "[ \"${p%%:*}\" = \(name.word) ] || exit \(Self.gone)"
        let answer = try shell.run(
            "chpasswd && exit 0; s=$?; \(isThere); exit $s", input: line, isLine: true, changes: true, hiding: secret)
        switch answer.status {
        case 0: return
        case Self.gone: throw ConnectorFault(.noSuchAccount, effect: .none)
        case Self.unanswered: throw ConnectorFault(.brokenProtocol, effect: .none, words: "getent does not answer")
        default: break
        }
        // Only the host's own file tells whether a change that was refused in words was also refused in deed.
        let effect: ConnectorFault.Effect = (try? compareHash(of: name, with: secret)) == .different ? .none : .unknown
        let words = RemoteWords.of(answer.output, hiding: secret)
        if let kind = PolicyWords.kind(of: words) {
            let until = kind == .minimumAge ? (try? entry(name))??.minimumAgeEnds : nil
            throw ConnectorFault(
                .refusedByPolicy(PolicyRefusal(kind: kind, until: until, words: words)), effect: effect, words: words)
        }
        throw ConnectorFault(.notPermitted, effect: effect, words: words)
    }

    /// Whether a terminal, PAM and chpasswd pass it on as it is. PAM takes 511 bytes (`PAM_MAX_RESP_SIZE`).
    private static func canBeTyped(_ secret: borrowing Secret) -> Bool {
        secret.withBytes { (1...500).contains($0.count) && $0.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
    }

    func words(_ answer: LinuxShell.Answer) -> String { RemoteWords.of(answer.output) }
}

extension LinuxSession: VerifierReading {
    package func compare(_ request: ChangeRequest, with secret: borrowing Secret) throws(ConnectorFault) -> StoredMatch {
        let (name, entry) = try existing(request.username)
        return switch request.secretType {
        case .password: try compareHash(of: name, with: secret)
        case .sshKey: try compareKeys(with: secret, name, entry)
        case .accessKey, .token, .apiKey: .unknown
        }
    }

    /// Compares with the hash in shadow(5). One that is put out of use says nothing; none at all differs from any password.
    func compareHash(of name: LinuxName, with secret: borrowing Secret) throws(ConnectorFault) -> StoredMatch {
        let answer = try shell.run("getent shadow -- \(name.word) | head -n 1")
        let fields = answer.output.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard answer.status == 0, fields.count == 9, fields[0].elementsEqual(name.text.utf8) else { return .unknown }
        let hash = Array(fields[1])
        if hash.allSatisfy({ $0 == UInt8(ascii: "!") || $0 == UInt8(ascii: "*") }) { return .different }
        if hash.first == UInt8(ascii: "!") { return .unknown }
        return switch UnixPassword.matches(secret, hash: hash) {
        case .some(true): .same
        case .some(false): .different
        case .none: .unknown
        }
    }
}

/// What PAM's modules say when they refuse a password.
enum PolicyWords {
    /// Nil for words that are about something else.
    static func kind(of words: String) -> PolicyRefusal.Kind? {
        let text = words.lowercased()
        if text.contains("must wait longer") || text.contains("minimum age") { return .minimumAge }
        if ["already used", "used before", "has been used", "been already used"].contains(where: text.contains) {
            return .history
        }
        let quality = [
            "bad password", "too short", "too simple", "dictionary", "palindrome", "too similar", "weak password",
            "choose a longer",
            "enough different characters", "password is the same", "password unchanged", "contains the user name",
        ]
        return quality.contains(where: text.contains) ? .quality : nil
    }
}
