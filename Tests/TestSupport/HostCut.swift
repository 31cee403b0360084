/// Cuts a session on a test host right before or behind one of the programs that its scripts run, once each time it is armed.
package struct HostCut: Sendable {
    package enum Moment: String, Sendable, CaseIterable { case before, after }

    private let host: TestHost

    /// Puts a script in the place of each of these programs, which all stand where `command -v` finds them.
    package init(_ host: TestHost, at programs: [String]) async throws {
        self.host = host
        for program in programs {
            try await host.expect(
                """
                path=$(command -v \(program)); mkdir -p /run/real /run/cut; cp -p "$path" /run/real/\(program)
                cat > /run/cut/\(program); chmod 755 /run/cut/\(program); mount --bind /run/cut/\(program) "$path"
                """, input: Array(Self.script(program).utf8))
        }
    }

    /// - Parameter word: what has to stand in the program's arguments: others run programs too, at a login for example.
    package func arm(_ program: String, _ moment: Moment, on word: String) async throws {
        try await host.expect("echo '\(moment.rawValue) \(word)' > /run/cut/\(program).armed")
    }

    /// Whether it was armed and has not cut anything yet.
    package func isArmed(_ program: String) async throws -> Bool {
        try await host.shell("test -e /run/cut/\(program).armed").succeeded
    }

    /// Everything from the script that called it up to the session's sshd is killed, as when the host lost its power.
    private static func script(_ program: String) -> String {
        """
        #!/bin/sh
        armed=/run/cut/\(program).armed
        [ -e $armed ] || exec /run/real/\(program) "$@"
        read -r moment word < $armed
        case "$* $PWD" in *"$word"*) ;; *) exec /run/real/\(program) "$@" ;; esac
        unlink $armed
        [ "$moment" = before ] || /run/real/\(program) "$@"
        process=$PPID
        list=
        while [ "$process" -gt 1 ]; do
            list="$list $process"
            read -r name < /proc/$process/comm
            case $name in sshd*) break ;; esac
            process=$(sed -n 's/^PPid:[^0-9]*//p' /proc/$process/status)
        done
        kill -9 $list
        exit 1
        """
    }
}
