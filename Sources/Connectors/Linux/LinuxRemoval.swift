/// The script that takes an account away, in steps each of which can be the last one before a cut.
///
/// First the sudo commands go, then the home is put aside and given to root, and at the very end the account goes: an account that is gone
/// has left nothing behind, and one that is still there is taken away by the same script. What the host refuses is put back.
enum LinuxRemoval {
    /// How the script ends: numbers that none of its programs has.
    enum Ending: Int32 {
        case done = 0
        case replaced = 70
        case gone = 71
        /// Nothing is other than it was.
        case refused = 72
        case unanswered = 73
        /// The host refused, and what was done could not be undone.
        case halfway = 74
    }

    /// What `LinuxMark` is made of. A name for the home is chosen that is free.
    static func question(_ name: LinuxName, home: String?) -> String {
        """
        h=\(ShellText.quoted(home ?? "")); n=\(name.word); s=.bak; \
        { [ ! -e "$h$s" ] && [ ! -L "$h$s" ]; } || s=.bak.$(date +%s); printf 'suffix %s\\n' "$s"; \
        p=$(getent passwd -- "$n") || exit 1; \(digest)
        """
    }

    /// Of the lines in passwd, which stands in `p`, and shadow.
    private static let digest = """
        { printf '%s\\n' "$p"; getent shadow -- "$n"; } 2>/dev/null | sha256sum 2>/dev/null | cut -c 1-64
        """

    static func script(_ name: LinuxName, _ mark: LinuxMark) -> String {
        let sudo = Sudoers.canName(name) ? Sudoers.file(of: name) : ""
        let words = [
            "n=\(name.word)", "u=\(mark.uid)", "h=\(ShellText.quoted(mark.home?.path ?? ""))",
            "k=\(ShellText.quoted(mark.home?.kept ?? ""))", "f=\(ShellText.quoted(sudo))",
        ]
        return (words + [who(mark), undo, rights, aside, account]).joined(separator: "; ")
    }

    /// Whether it is the account that was marked, and nobody is logged in. Where it is gone, `p` is empty; `u` too where its number is
    /// another account's by now, whose files are left alone. A name of digits finds the account with that number.
    private static func who(_ mark: LinuxMark) -> String {
        """
        p=$(getent passwd -- "$n"); \
        case $? in 0|2) ;; *) echo 'getent does not answer'; exit \(Ending.unanswered.rawValue) ;; esac; \
        [ "${p%%:*}" = "$n" ] || p=; \
        if [ -n "$p" ]; then r=${p#*:*:}; \
        { [ "${r%%:*}" = "$u" ] && [ "$(\(digest))" = \(ShellText.quoted(mark.digest)) ]; } || exit \(Ending.replaced.rawValue); \
        if grep -qsE "^Uid:([[:space:]][0-9]+)*[[:space:]]$u([[:space:]]|\\$)" /proc/[0-9]*/status; \
        then echo 'a process of the account is running'; exit \(Ending.refused.rawValue); fi; \
        elif getent passwd -- "$u" >/dev/null; then u=; fi
        """
    }

    /// What puts everything back as it was before, and ends.
    private static let undo = """
        moved=; undo() { [ -n "$p" ] || exit \(Ending.halfway.rawValue); \
        if [ -n "$moved" ]; then \
        { chown -h "$u:$g" -- "$moved" && chmod "$m" -- "$moved" && mv -T -- "$moved" "$h"; } || exit \(Ending.halfway.rawValue); fi; \
        if [ -n "$rights" ] && [ ! -e "$f" ]; then \
        { t=$(mktemp \(Sudoers.folder)/.keyturn.XXXXXXXXXX) && printf '%s\\n' "$rights" > "$t" && chown root:root "$t" \
        && chmod 0440 "$t" && mv -f -T -- "$t" "$f"; } || exit \(Ending.halfway.rawValue); fi; \
        exit \(Ending.refused.rawValue); }
        """

    private static let rights = """
        rights=; if [ -n "$f" ] && [ -f "$f" ]; then rights=$(cat -- "$f"); rm -f -- "$f" || undo; fi
        """

    /// Puts the home aside. It is given to root last, since by its owner it is known whether that is still to be done. One that was put aside before a cut is root's from then on, and goes back too where the host refuses; another
    /// that was made since is put aside as well.
    private static let aside = """
        own() { [ -n "$u" ] && [ -d "$1" ] && [ ! -L "$1" ] && [ "$(stat -c %u -- "$1")" = "$u" ]; }; \
        keep() { chmod 0700 -- "$1" && chown -h root:root -- "$1"; }; \
        if [ -n "$h" ]; then \
        for d in "$k" "$k".[0-9]*; do if own "$d"; then keep "$d" || undo; fi; done; \
        if own "$h"; then [ ! -e "$k" ] && [ ! -L "$k" ] || k=$k.$(date +%s); m=$(stat -c %a -- "$h"); g=$(stat -c %g -- "$h"); \
        mv -T -- "$h" "$k" || undo; moved=$k; keep "$k" || undo; \
        elif [ -n "$p" ] && [ ! -e "$h" ] && [ -d "$k" ] && [ ! -L "$k" ]; then moved=$k; m=700; g=${p#*:*:*:}; g=${g%%:*}; fi; fi
        """

    /// Last the account. Whatever userdel says, the host's own list decides.
    private static let account = """
        [ -n "$p" ] || exit \(Ending.gone.rawValue); userdel -- "$n"; \
        q=$(getent passwd -- "$n"); \
        case $? in 2) exit 0 ;; 0) [ "${q%%:*}" = "$n" ] || exit 0 ;; *) exit \(Ending.halfway.rawValue) ;; esac; undo
        """
}
