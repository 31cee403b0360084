/// What is set of an account on a host beside its secret, checked before it becomes part of a command.
struct LinuxAttributes {
    let shell, home, group, groups, uid, sudo: String?

    init(_ parameters: [String: String]) throws(ConnectorFault) {
        shell = try Self.path(parameters, "shell")
        home = try Self.path(parameters, "home")
        group = try Self.checked(parameters, "group") { LinuxName($0) != nil && !$0.contains(",") }
        groups = try Self.checked(parameters, "groups") { list in
            list.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { LinuxName(String($0)) != nil }
        }
        uid = try Self.checked(parameters, "uid") { text in Int64(text).map { (1...4_294_967_293).contains($0) } ?? false }
        // Empty takes away what was set before, so it is not the same as absent.
        let sudo = parameters["sudo"]
        if let sudo, !sudo.isEmpty, !Sudoers.isOneLine(sudo) { throw Self.refusal("sudo") }
        self.sudo = sudo
    }

    /// For useradd(8) and usermod(8). `isNew` decides what `groups` means: an account that is there keeps the groups that it has.
    func options(isNew: Bool) -> String {
        var words: [String] = []
        if let shell { words += ["--shell", ShellText.quoted(shell)] }
        if let home { words += ["--home", ShellText.quoted(home)] }
        if let group { words += ["--gid", ShellText.quoted(group)] }
        if let groups {
            words += isNew ? ["--groups", ShellText.quoted(groups)] : ["--append --groups", ShellText.quoted(groups)]
        }
        if let uid { words += ["--uid", ShellText.quoted(uid)] }
        return words.joined(separator: " ")
    }

    private static func path(_ parameters: [String: String], _ name: String) throws(ConnectorFault) -> String? {
        try checked(parameters, name) { path in
            path.hasPrefix("/") && path.utf8.count <= 1024
                && path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: ":") }
                && !path.split(separator: "/").contains("..")
        }
    }

    private static func checked(
        _ parameters: [String: String], _ name: String, _ isGood: (String) -> Bool
    ) throws(ConnectorFault) -> String? {
        guard let value = parameters[name], !value.isEmpty else { return nil }
        guard isGood(value) else { throw refusal(name) }
        return value
    }

    private static func refusal(_ name: String) -> ConnectorFault {
        ConnectorFault(.unsupported, effect: .none, words: "the parameter '\(name)' is not one that a host could take")
    }
}

/// One account's file in /etc/sudoers.d (sudoers(5)).
enum Sudoers {
    static let folder = "/etc/sudoers.d"

    /// Names that mean somebody else, or need escapes, get none.
    static func canName(_ name: LinuxName) -> Bool {
        let text = name.text
        guard let first = text.utf8.first, (first | 0x20 >= 0x61 && first | 0x20 <= 0x7A) || first == UInt8(ascii: "_") else {
            return false
        }
        // An upper-case word is an alias, and ALL is everybody.
        guard text.contains(where: \.isLowercase) else { return false }
        return text.utf8.allSatisfy { byte in
            (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39) || "_.-".utf8.contains(byte)
        }
    }

    static func isOneLine(_ commands: String) -> Bool {
        commands.utf8.count <= 2048 && !commands.hasSuffix("\\") && commands.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    /// sudo leaves out files with a dot in their name.
    static func file(of name: LinuxName) -> String {
        folder + "/keyturn-" + name.text.replacing(".", with: "=2e")
    }

    static func line(_ name: LinuxName, _ commands: String) -> String { "\(name.text) ALL=(ALL:ALL) NOPASSWD: \(commands)" }
}
