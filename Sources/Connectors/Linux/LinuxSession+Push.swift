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
            // useradd(8) changes nothing when it fails for these reasons; 9 is a name that is taken, by somebody quicker.
            let isClean = [2, 3, 4, 6, 9, 10].contains(added.status)
            throw ConnectorFault(.unsupported, effect: isClean ? .none : .unknown, words: words(added))
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
