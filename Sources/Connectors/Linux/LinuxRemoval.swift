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

    /// How `question` ends where the account is not one of the host's own.
    static let foreign: Int32 = 70

    /// What `LinuxMark` is made of. A name for the home is chosen that is free.
    static func question(_ name: LinuxName, uid: Int64, home: String?) -> String {
        """
        h=\(ShellText.quoted(home ?? "")); n=\(name.word); s=.bak; \
        { [ ! -e "$h$s" ] && [ ! -L "$h$s" ]; } || s=.bak.$(date +%s); printf 'suffix %s\\n' "$s"; \
        p=$(\(LocalPasswd.line(of: name))) || exit 1; r=${p#*:*:}; [ -n "$p" ] && [ "${r%%:*}" = \(uid) ] || exit \(foreign); \
        \(shadow) || exit 1; \(digest)
        """
    }

    /// The account's line in shadow, which not all hosts have.
    private static let shadow = "{ q=$(getent shadow -- \"$n\" 2>/dev/null); case $? in 0|2) ;; *) false ;; esac; }"

    /// Of the lines in passwd and shadow, which stand in `p` and `q`.
    private static let digest = """
        printf '%s\\n' "$p" ${q:+"$q"} | sha256sum 2>/dev/null | cut -c 1-64
        """

    static func script(_ name: LinuxName, _ mark: LinuxMark) -> String {
        let sudo = Sudoers.canName(name) ? Sudoers.file(of: name) : ""
        let words = [
            "n=\(name.word)", "u=\(mark.uid)", "h=\(ShellText.quoted(mark.home?.path ?? ""))",
            "k=\(ShellText.quoted(mark.home?.kept ?? ""))", "f=\(ShellText.quoted(sudo))",
        ]
        return (words + [who(name, mark), undo, rights, turn, aside, jobs, account(name)]).joined(separator: "; ")
    }

    /// Whether it is the account that was marked, and nobody is logged in. Where it is gone, `p` is empty; `u` too where its number is
    /// another account's by now, whose files are left alone.
    private static func who(_ name: LinuxName, _ mark: LinuxMark) -> String {
        """
        mute() { echo "$1 cannot be read"; exit \(Ending.unanswered.rawValue); }; \
        p=$(\(LocalPasswd.line(of: name))) || mute /etc/passwd; \
        if [ -n "$p" ]; then r=${p#*:*:}; \(shadow) || mute shadow; \
        { [ "${r%%:*}" = "$u" ] && [ "$(\(digest))" = \(ShellText.quoted(mark.digest)) ]; } || exit \(Ending.replaced.rawValue); \
        \(processes); \
        else q=$(\(LocalPasswd.line(of: mark.uid))) || mute /etc/passwd; \
        if [ -n "$q" ]; then u=; else getent passwd -- "$u" >/dev/null; \
        case $? in 2) ;; 0) u= ;; *) mute 'who has its number' ;; esac; fi; fi
        """
    }

    /// Stops where something runs as the account. Processes end while they are looked at, of which grep(1) says what it says of all that
    /// cannot be read: each that is still there then is asked for by itself.
    private static let processes = """
        busy() { echo 'a process of the account is running'; exit \(Ending.refused.rawValue); }; \
        e="^Uid:([[:space:]][0-9]+)*[[:space:]]$u([[:space:]]|\\$)"; [ -r /proc/self/status ] || mute /proc; \
        grep -qsE "$e" /proc/[0-9]*/status; case $? in 0) busy ;; 1) ;; *) \
        for t in /proc/[0-9]*/status; do grep -qsE "$e" "$t"; \
        case $? in 0) busy ;; 1) ;; *) [ ! -e "$t" ] || mute "$t" ;; esac; done ;; esac
        """

    /// What puts everything back as it was before, and ends.
    private static let undo = """
        moved=; undo() { [ -n "$p" ] || exit \(Ending.halfway.rawValue); \
        if [ -n "$moved" ]; then \
        { turn "$moved" "$m" "$u:$g" && mv -T -- "$moved" "$h"; } || exit \(Ending.halfway.rawValue); fi; \
        if [ -n "$rights" ] && [ ! -e "$f" ]; then \
        { t=$(mktemp \(Sudoers.folder)/.keyturn.XXXXXXXXXX) && printf '%s\\n' "$rights" > "$t" && chown root:root "$t" \
        && chmod 0440 "$t" && mv -f -T -- "$t" "$f"; } || exit \(Ending.halfway.rawValue); fi; \
        exit \(Ending.refused.rawValue); }
        """

    private static let rights = """
        rights=; if [ -n "$f" ] && [ -f "$f" ]; then rights=$(cat -- "$f") || undo; rm -f -- "$f" || undo; fi
        """

    /// Gives a folder another mode and owner: the very one that stands there, whatever its name comes to mean meanwhile.
    private static let turn = """
        turn() { ( cd -P -- "$1" && i=$(stat -c %d:%i .) && [ "$i" = "$(stat -c %d:%i -- "$1")" ] \
        && chmod -- "$2" . && chown -h -- "$3" . ); }
        """

    /// Puts the home aside. It is given to root last, since by its owner it is known whether that is still to be done. One that was put
    /// aside before a cut is root's from then on, and goes back too where the host refuses; another that was made since is put aside as well.
    private static let aside = """
        own() { [ -n "$u" ] && [ -d "$1" ] && [ ! -L "$1" ] && [ "$(stat -c %u -- "$1")" = "$u" ]; }; \
        keep() { turn "$1" 0700 root:root; }; \
        if [ -n "$h" ]; then \
        for d in "$k" "$k".[0-9]*; do if own "$d"; then keep "$d" || undo; fi; done; \
        if own "$h"; then [ ! -e "$k" ] && [ ! -L "$k" ] || k=$k.$(date +%s); \
        m=$(stat -c %a -- "$h") && g=$(stat -c %g -- "$h") || undo; \
        mv -T -- "$h" "$k" || undo; moved=$k; keep "$k" || undo; \
        elif [ -n "$p" ] && [ ! -e "$h" ] && [ -d "$k" ] && [ ! -L "$k" ]; then moved=$k; m=700; g=${p#*:*:*:}; g=${g%%:*}; fi; fi
        """

    /// What cron(8) and at(1) would do for it, which is asked for by name and by number: the next account with these must not find it.
    /// It goes once the account has, since it does nothing without, and could not be put back as it was.
    private static let jobs = """
        tidy() { getent passwd -- "$n" >/dev/null; if [ $? = 2 ]; then \
        for d in /var/spool/cron/crontabs /var/spool/cron/tabs /var/spool/cron; do \
        if [ -f "$d/$n" ] || [ -L "$d/$n" ]; then rm -f -- "$d/$n"; fi; done; fi; [ -n "$u" ] || return 0; \
        for d in /var/spool/cron/atjobs /var/spool/cron/atspool /var/spool/at; do \
        if [ -d "$d" ]; then find "$d" -maxdepth 1 -type f -uid "$u" -exec rm -f -- '{}' +; fi; done; }
        """

    /// Last the account. Whatever userdel says, the host's own list decides.
    private static func account(_ name: LinuxName) -> String {
        """
        [ -n "$p" ] || { tidy; exit \(Ending.gone.rawValue); }; userdel -- "$n"; \
        q=$(\(LocalPasswd.line(of: name))) || exit \(Ending.halfway.rawValue); [ -n "$q" ] || { tidy; exit 0; }; undo
        """
    }

    /// Names files of the host that still mean the account, by name or by number, one in a line.
    static func mentions(_ name: LinuxName, _ mark: LinuxMark) -> String {
        let (text, number) = (ShellText.extendedExpression(name.text), mark.uid)
        let byName = ShellText.quoted("^([^#]*[[:space:],!:=(])?\(text)([[:space:],:=)@]|$)")
        let byNumber = ShellText.quoted("^([^#]*[[:space:],!])?#\(number)([[:space:],=]|$)")
        return """
            n=\(name.word); for d in /var/spool/cron/crontabs /var/spool/cron/tabs /var/spool/cron; do \
            if [ -f "$d/$n" ]; then printf '%s\\n' "$d/$n"; fi; done; \
            for d in /var/spool/cron/atjobs /var/spool/at; do \
            if [ -d "$d" ] && ! getent passwd -- \(number) >/dev/null; then find "$d" -maxdepth 1 -type f -uid \(number); fi; done; \
            grep -lsE -e \(byName) -e \(byNumber) /etc/sudoers /etc/sudoers.d/* /etc/crontab /etc/cron.d/* /etc/cron.allow \
            /etc/at.allow /etc/security/access.conf /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*; exit 0
            """
    }
}
