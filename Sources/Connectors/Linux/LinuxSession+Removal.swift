internal import Domain

extension LinuxSession: AccountRemoving {
    package func mark(_ username: String, parameters: [String: String]) throws(ConnectorFault) -> String {
        let (name, entry) = try existing(username)
        guard !entry.isSystem else { throw Self.refusal("this is a system account") }
        guard name.text != workerName, entry.uid != workerID else { throw Self.refusal("this is the account that does the work") }
        let home = try disposableHome(of: name, entry)
        let answer = try shell.run(LinuxRemoval.question(name, uid: entry.uid, home: home))
        guard answer.status != LinuxRemoval.foreign else {
            throw Self.refusal("this is not a local account: it is not in the host's own /etc/passwd")
        }
        guard answer.status == 0, let mark = LinuxMark(answer: answer.lines.map(String.init), uid: entry.uid, home: home) else {
            throw ConnectorFault(.brokenProtocol, effect: .none, words: words(answer))
        }
        return mark.text
    }

    /// Deletes the account and its sudo commands; its home stays, as root's, with `.bak` behind its name. The account itself goes last, so
    /// that wherever this is cut off, the next time goes on.
    package func remove(_ removal: AccountRemoval) throws(ConnectorFault) {
        guard let name = LinuxName(removal.username), let mark = LinuxMark(text: removal.mark) else {
            throw ConnectorFault(.noSuchAccount, effect: .none)
        }
        guard name.text != workerName, mark.uid != workerID else { throw Self.refusal("this is the account that does the work") }
        let answer = try shell.run(LinuxRemoval.script(name, mark), changes: true)
        guard let ending = LinuxRemoval.Ending(rawValue: answer.status) else {
            throw ConnectorFault(.notPermitted, effect: .unknown, words: words(answer))
        }
        switch ending {
        case .done: return
        case .replaced:
            throw ConnectorFault(
                .replaced, effect: .none, words: "the account is not as it was when it was to be removed: its uid, or its entries"
            )
        case .gone: throw ConnectorFault(.noSuchAccount, effect: .none)
        case .refused: throw ConnectorFault(.notPermitted, effect: .none, words: words(answer))
        case .unanswered: throw ConnectorFault(.brokenProtocol, effect: .none, words: words(answer))
        case .halfway:
            throw ConnectorFault(
                .notPermitted, effect: .unknown, words: "the account is there, and not as it was before. \(words(answer))")
        }
    }

    /// One that was marked was the host's own, whose list says whether it is gone. Of another a directory may know.
    package func confirmAbsence(of username: String, parameters: [String: String], mark: String?) throws(ConnectorFault) {
        guard let name = LinuxName(username) else { return }
        let list = "p=$(\(LocalPasswd.line(of: name))) || exit 1; [ -z \"$p\" ] || exit 70"
        let answer = try shell.run(mark == nil ? "\(list); \(LocalPasswd.isAll)" : list)
        switch answer.status {
        case 0: return
        case 71:
            throw ConnectorFault(
                .unsupported, effect: .none,
                words: "not a local account, and the host has others from '\(words(answer))', which may just not answer")
        default: throw ConnectorFault(.brokenProtocol, effect: .none, words: "/etc/passwd: \(words(answer))")
        }
    }

    package func remains(of removal: AccountRemoval) throws(ConnectorFault) -> String? {
        guard let name = LinuxName(removal.username), let mark = LinuxMark(text: removal.mark) else { return nil }
        let files = try shell.run(LinuxRemoval.mentions(name, mark)).lines.filter { $0.hasPrefix("/") }
        guard !files.isEmpty else { return nil }
        return "The host still names it in " + shown(files.joined(separator: ", ")) + "."
    }

    /// The home, if it is one that only this account has; nil if it is not there. An odd one stops the removal.
    private func disposableHome(of name: LinuxName, _ entry: LinuxEntry) throws(ConnectorFault) -> String? {
        let home = entry.home
        let parts = home.split(separator: "/")
        guard home.hasPrefix("/"), !parts.contains(".."), !parts.contains(".") else {
            throw Self.refusal("its home is odd: \(shown(home))")
        }
        // A folder of the system is nobody's home.
        let isDeep = parts.count >= 2
        let places: Set<Substring> = [
            "bin", "boot", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sbin", "sys", "tmp", "usr",
        ]
        guard isDeep, let first = parts.first, !places.contains(first),
            !["/var/lib", "/var/log", "/var/mail", "/var/spool", "/var/tmp"].contains(home)
        else { throw Self.refusal("its home is odd: \(shown(home))") }
        let path = "/" + parts.joined(separator: "/")
        let word = ShellText.quoted(path)
        let answer = try shell.run(
            "h=\(word); [ -L \"$h\" ] && { echo link; exit 0; }; [ -e \"$h\" ] || { echo none; exit 0; }; [ -d \"$h\" ] || { echo file; exit 0; }; "
                + "[ \"$(stat -c %u -- \"$h\")\" = \(entry.uid) ] || { echo foreign; exit 0; }; "
                + "{ getent passwd && echo ::all; } | while IFS=: read -r n p u g c d s; do [ \"$n\" = \(name.word) ] && continue; "
                + "[ \"$n:$p:$u\" != ::all ] || { echo good; break; }; case \"$d/\" in \"$h\"/*) echo shared;; esac; done")
        switch answer.lines.first.map(String.init) {
        case "none": return nil
        case "good" where answer.status == 0: return path
        case .some(let reason): throw Self.refusal("its home is odd (\(reason)): \(shown(home))")
        case .none: throw ConnectorFault(.brokenProtocol, effect: .none, words: words(answer))
        }
    }

    private func shown(_ text: String) -> String { RemoteWords.of(Array(text.utf8)) }

    private static func refusal(_ words: String) -> ConnectorFault { ConnectorFault(.forbidden, effect: .none, words: words) }
}
