internal import Domain

extension LinuxSession: AccountRemoving {
    /// Deletes the account and its sudo commands; its home stays, as root's, with `.bak` behind its name.
    package func remove(_ username: String, parameters: [String: String]) throws(ConnectorFault) {
        let (name, entry) = try existing(username)
        guard !entry.isSystem else { throw Self.refusal("this is a system account") }
        guard name.text != workerName, entry.uid != workerID else { throw Self.refusal("this is the account that does the work") }
        let home = try disposableHome(of: name, entry)
        try removeSudo(name)
        let deleted = try shell.run("userdel -- \(name.word)", changes: true)
        guard deleted.status == 0 else {
            // userdel(8): 8 is an account in use, 6 one that is gone.
            let kind: ConnectorFault.Kind = deleted.status == 6 ? .noSuchAccount : .notPermitted
            throw ConnectorFault(kind, effect: [2, 6, 8].contains(deleted.status) ? .none : .unknown, words: words(deleted))
        }
        guard let home else { return }
        let word = ShellText.quoted(home)
        let kept = try shell.run(
            "new=\(word).bak; [ ! -e \"$new\" ] && [ ! -L \"$new\" ] || new=\(word).bak.$(date +%s); "
                + "mv -T -- \(word) \"$new\" && chown -h root:root -- \"$new\" && chmod 0700 -- \"$new\"", changes: true)
        guard kept.status == 0 else {
            throw ConnectorFault(
                .notPermitted, effect: .unknown, words: "the account is gone, and its home could not be renamed. \(words(kept))")
        }
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
                + "getent passwd | while IFS=: read -r n p u g c d s; do [ \"$n\" = \(name.word) ] && continue; "
                + "case \"$d/\" in \"$h\"/*) echo shared;; esac; done; echo good")
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
