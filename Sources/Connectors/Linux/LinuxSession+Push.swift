package import Cryptography
internal import Domain
internal import SSH

extension LinuxSession: AccountPushing {
    package func create(_ push: AccountPush, secret: borrowing Secret) throws(ConnectorFault) {
        guard let name = LinuxName(push.username) else {
            throw ConnectorFault(.unsupported, effect: .none, words: "a host can have no account of this name")
        }
        let attributes = try LinuxAttributes(push.parameters)
        if let sudo = attributes.sudo, !sudo.isEmpty { try checkSudo(name, sudo) }
        guard try entry(name) == nil else {
            throw ConnectorFault(.forbidden, effect: .none, words: "there is an account of this name")
        }
        let added = try shell.run("useradd --create-home \(attributes.options(isNew: true)) -- \(name.word)", changes: true)
        guard added.status == 0 else {
            throw ConnectorFault(.unsupported, effect: creationEffect(name, added.status), words: words(added))
        }
        do throws(ConnectorFault) {
            // Last, so that whoever finds the secret there after a cut knows that the rest is there too.
            if let sudo = attributes.sudo, !sudo.isEmpty { try placeSudo(name, sudo) }
            try install(push.request, secret: secret)
        } catch {
            // The account is there, whatever came after.
            throw ConnectorFault(error.kind, effect: .unknown, words: error.words)
        }
    }

    package func update(_ push: AccountPush) throws(ConnectorFault) {
        let attributes = try LinuxAttributes(push.parameters)
        let (name, _) = try existing(push.username)
        if let sudo = attributes.sudo, !sudo.isEmpty { try checkSudo(name, sudo) }
        let options = attributes.options(isNew: false)
        if !options.isEmpty {
            let answer = try shell.run("usermod \(options) -- \(name.word)", changes: true)
            guard answer.status == 0 else { throw ConnectorFault(.unsupported, effect: .unknown, words: words(answer)) }
        }
        if let sudo = attributes.sudo {
            if sudo.isEmpty { try removeSudo(name) } else { try placeSudo(name, sudo) }
        }
    }

    /// What useradd(8) left when it failed.
    private func creationEffect(_ name: LinuxName, _ status: Int32) -> ConnectorFault.Effect {
        // For these reasons it does so before it writes; 9 is a name that is taken, by somebody quicker.
        if [2, 3, 4, 6, 9].contains(status) { return .none }
        // passwd is written first, so that it may fail with the account there (10: group). It has ended: what the file says stays so.
        guard let line = try? shell.run(LocalPasswd.line(of: name)), line.status == 0 else { return .unknown }
        return line.output.isEmpty ? .none : .unknown
    }

    /// The account is there, which useradd(8) writes down first; its group and its home it makes later.
    package func complete(_ push: AccountPush) throws(ConnectorFault) {
        let (name, entry) = try existing(push.username)
        let script = [
            "g=\(entry.gid); h=\(ShellText.quoted(entry.home))", "getent group \"$g\" >/dev/null",
            "case $? in 0) ;; 2) groupadd --gid \"$g\" -- \(name.word) || exit 1 ;; *) exit 1 ;; esac",
            "[ -e \"$h\" ] || [ -L \"$h\" ] && exit 0", "new=$(mktemp -d -- \"$h.XXXXXXXXXX\") || exit 1",
            "trap 'rm -rf -- \"$new\"' EXIT", "if [ -d /etc/skel ]; then cp -R -P -- /etc/skel/. \"$new\" || exit 1; fi",
            "chmod 0700 -- \"$new\" && chown -R -h \(entry.uid):\"$g\" -- \"$new\" && mv -n -T -- \"$new\" \"$h\" || exit 1",
        ].joined(separator: "; ")
        let answer = try shell.run(script, changes: true)
        guard answer.status == 0 else { throw ConnectorFault(.unsupported, effect: .unknown, words: words(answer)) }
        try update(push)
    }

    // MARK: - sudo

    /// Has visudo(8) read the line, as a file of its own that sudo never sees.
    private func checkSudo(_ name: LinuxName, _ commands: String) throws(ConnectorFault) {
        guard Sudoers.canName(name) else {
            throw ConnectorFault(.unsupported, effect: .none, words: "sudo commands cannot be given to an account of this name")
        }
        let answer = try shell.run(
            "command -v visudo >/dev/null || { echo 'there is no visudo'; exit 1; }; "
                + "grep -Eq '^[#@]includedir[[:space:]]+\(Sudoers.folder)/?[[:space:]]*$' /etc/sudoers "
                + "|| { echo 'sudoers does not include \(Sudoers.folder)'; exit 1; }; "
                + "printf '%s\\n' \(ShellText.quoted(Sudoers.line(name, commands))) | visudo -c -f -")
        guard answer.status == 0 else { throw ConnectorFault(.unsupported, effect: .none, words: words(answer)) }
    }

    /// Checked once more as the file that is moved into place. sudo ignores names with a dot, so it never sees half of it.
    private func placeSudo(_ name: LinuxName, _ commands: String) throws(ConnectorFault) {
        let script = [
            "new=$(mktemp \(Sudoers.folder)/.keyturn.XXXXXXXXXX) || exit 1", "trap 'rm -f \"$new\"' EXIT",
            "printf '%s\\n' \(ShellText.quoted(Sudoers.line(name, commands))) > \"$new\" || exit 1",
            "chown root:root \"$new\" && chmod 0440 \"$new\" || exit 1", "visudo -c -f \"$new\" || exit 1",
            "sync \"$new\" 2>/dev/null", "mv -f -T -- \"$new\" \(ShellText.quoted(Sudoers.file(of: name))) || exit 1", "exit 0",
        ].joined(separator: "; ")
        let answer = try shell.run(script, changes: true)
        guard answer.status == 0 else { throw ConnectorFault(.notPermitted, effect: .unknown, words: words(answer)) }
    }

    func removeSudo(_ name: LinuxName) throws(ConnectorFault) {
        guard Sudoers.canName(name) else { return }
        let answer = try shell.run("rm -f -- \(ShellText.quoted(Sudoers.file(of: name)))", changes: true)
        guard answer.status == 0 else { throw ConnectorFault(.notPermitted, effect: .unknown, words: words(answer)) }
    }
}
