/// A host's own list of accounts, /etc/passwd (passwd(5)), read as a file.
///
/// getent(1) asks whatever services the host has, and says of one that does not answer what it says of an account that is not there. So
/// it can tell that somebody is there; that somebody is gone, only the file can.
enum LocalPasswd {
    /// A command that writes the account's line, or nothing where there is none; it fails where the file cannot be read.
    static func line(of name: LinuxName) -> String { first(ShellText.basicExpression(name.text) + ":") }

    /// The same for a number.
    static func line(of uid: Int64) -> String { first("[^:]*:[^:]*:\(uid):") }

    private static func first(_ expression: String) -> String {
        "sed -n -e \(ShellText.quoted("/^\(expression)/{p;q")) -e '}' /etc/passwd"
    }

    /// Whether what is not in the file is nowhere else either, by nsswitch.conf(5): ends with 0, and else with 71 and the service that may
    /// know it.
    static let isAll = """
        set -f; l=; [ ! -e /etc/nsswitch.conf ] || \
        l=$(sed -n -e 's/#.*//' -e 's/^[[:space:]]*passwd:[[:space:]]*//p' /etc/nsswitch.conf) || exit 1; \
        for w in ${l:-files}; do case $w in files|systemd|altfiles|extrausers|*[][=]*) ;; \
        compat) grep -qs '^+' /etc/passwd; [ $? = 1 ] || { echo "$w"; exit 71; } ;; \
        *) echo "$w"; exit 71 ;; esac; done
        """
}
