internal import Domain

/// What a Linux host says of one of its accounts.
struct LinuxEntry: Sendable {
    enum PasswordState: String, Sendable {
        /// There is a hash.
        case set
        /// There is none, and none was ever set (`*`, `!`).
        case none
        /// There is a hash that an exclamation mark puts out of use.
        case locked
        /// Anybody gets in.
        case empty
        /// The host keeps it elsewhere.
        case elsewhere
    }

    let name: String
    let uid: Int64
    let gid: Int64
    let home: String
    let shell: String
    let password: PasswordState
    /// Days since 1970; nil where the host does not say.
    let lastChange: Int64?
    let minimumDays: Int64?
    let expires: Int64?
    let uidMinimum: Int64
    /// Whether passwords can be set there by whoever asked: there is chpasswd(8), and the file can be replaced.
    let takesPasswords: Bool
    /// The host's own clock; asked for where something depends on it.
    let now: Timestamp?

    /// Asks for everything in one go, with as few programs as it takes; the hash itself stays where it is. `name` must be quoted.
    static func script(for name: String) -> String {
        [
            "p=$(getent passwd -- \(name) 2>/dev/null)", "s=$?", "printf 'status %s\\n' \"$s\"", "[ \"$s\" = 0 ] || exit 0",
            "printf 'passwd %s\\n' \"$p\"", uidMinimum,
            "if command -v chpasswd >/dev/null && [ -w /etc/shadow ] && [ -w /etc ]; then printf 'chpasswd yes\\n'; fi",
            "p=$(getent shadow -- \(name) 2>/dev/null)", passwordState,
        ].joined(separator: "; ")
    }

    /// The last mention counts.
    private static let uidMinimum =
        #"sed -n -e '/^[[:space:]]*UID_MIN[[:space:]]/h' -e '${x;s/^[[:space:]]*UID_MIN[[:space:]][[:space:]]*\([0-9]*\).*/uidmin \1/p;}'"#
        + " /etc/login.defs 2>/dev/null"

    /// Puts a word for what it is in the place of the hash, and leaves name and hash out. The day matters only where there is a minimum
    /// age or an end.
    private static let passwordState =
        "if [ -n \"$p\" ]; then p=${p#*:}; h=${p%%:*}; "
        + "case $h in '') w=empty ;; *[!*!]*) case $h in '!'*) w=locked ;; *) w=set ;; esac ;; *) w=none ;; esac; "
        + "p=${p#*:}; printf 'shadow %s\\n' \"$w:$p\"; "
        + "m=${p#*:}; m=${m%%:*}; e=${p%:*}; e=${e##*:}; "
        + "case $m:$e in :|0:) ;; *) printf 'now %s\\n' \"$(date +%s)\" ;; esac; fi"

    /// From what the script wrote. Nil if there is no such account; throws for what makes no sense.
    static func parse(_ answer: LinuxShell.Answer, name: String) throws(ConnectorFault) -> LinuxEntry? {
        var values: [Substring: Substring] = [:]
        for line in answer.text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, values[parts[0]] == nil { values[parts[0]] = parts[1] }
        }
        // getent(1): 2 is "not found"; anything else is no answer.
        if values["status"] == "2" { return nil }
        guard answer.status == 0, values["status"] == "0" else { throw nonsense(answer) }
        let fields = values["passwd"]?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        // A name of digits finds the account with that number.
        guard fields.count == 7 else { throw nonsense(answer) }
        guard fields[0] == name else { return nil }
        guard let uid = Int64(fields[2]), let gid = Int64(fields[3]), uid >= 0, gid >= 0 else { throw nonsense(answer) }
        let shadow = values["shadow"]?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        func day(_ index: Int) -> Int64? { index < shadow.count ? Int64(shadow[index]).flatMap { $0 >= 0 ? $0 : nil } : nil }
        let now = values["now"].flatMap { Int64($0) }
        guard now != nil || (day(2) ?? 0 == 0 && day(6) == nil) else { throw nonsense(answer) }
        return LinuxEntry(
            name: name, uid: uid, gid: gid, home: String(fields[5]), shell: String(fields[6]),
            password: shadow.first.flatMap { PasswordState(rawValue: String($0)) } ?? .elsewhere, lastChange: day(1),
            minimumDays: day(2), expires: day(6), uidMinimum: values["uidmin"].flatMap { Int64($0) } ?? 1000,
            takesPasswords: values["chpasswd"] == "yes", now: now.map { Timestamp(seconds: $0) })
    }

    private static func nonsense(_ answer: LinuxShell.Answer) -> ConnectorFault {
        ConnectorFault(.brokenProtocol, effect: .none, words: RemoteWords.of(answer.output))
    }

    /// Belongs to the system: below UID_MIN, and the two numbers that stand for nobody.
    var isSystem: Bool { uid < max(uidMinimum, 1) || uid == 65_534 || uid == 65_535 }

    private var today: Int64? { now.map { $0.seconds / 86_400 } }

    var isExpired: Bool {
        guard let expires, let today else { return false }
        return expires <= today
    }

    /// When the host's own rule lets the password be changed again; nil if it does now. A change that root makes does not ask for it.
    var minimumAgeEnds: Timestamp? {
        guard let lastChange, let minimumDays, let today, lastChange > 0, minimumDays > 0 else { return nil }
        let (day, overflow) = lastChange.addingReportingOverflow(minimumDays)
        guard !overflow, day > today, day < 10_000_000 else { return nil }
        return Timestamp(seconds: day * 86_400)
    }

    var account: RemoteAccount {
        RemoteAccount(
            username: name, isSystem: isSystem, isLocked: password == .locked || isExpired,
            attributes: [
                "uid": "\(uid)", "gid": "\(gid)", "home": Self.clean(home), "shell": Self.clean(shell),
                "password": password.rawValue,
            ])
    }

    private static func clean(_ text: String) -> String { RemoteWords.of(Array(text.utf8)) }
}
