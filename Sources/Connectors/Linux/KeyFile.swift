internal import Cryptography
internal import SSH

/// A user's `~/.ssh/authorized_keys`, read and replaced as that user: what a link could lead to, the user could reach anyway.
struct KeyFile {
    static let limit = 256 * 1024

    let shell: LinuxShell
    let name: LinuxName
    let home: String

    /// What is there; nil if there is no file.
    func read() throws(ConnectorFault) -> [UInt8]? {
        let answer = try run(
            Self.checks + "; [ -e authorized_keys ] || exit 70; size=$(wc -c < authorized_keys) || exit 78; "
                + "[ \"$size\" -le \(Self.limit) ] || exit 79; base64 authorized_keys")
        if answer.status == 70 || answer.status == Self.noDirectory { return nil }
        guard answer.status != 79 else { throw Self.tooLong }
        guard answer.status == 0 else { throw Self.fault(answer, effect: .none) }
        guard let bytes = Base64Text.decode(answer.output) else {
            throw ConnectorFault(.brokenProtocol, effect: .none, words: RemoteWords.of(answer.output))
        }
        guard bytes.count <= Self.limit else { throw Self.tooLong }
        return bytes
    }

    private static var tooLong: ConnectorFault {
        ConnectorFault(.unsupported, effect: .none, words: "authorized_keys has more than \(limit) bytes")
    }

    /// Looks whether it could be replaced, and changes nothing.
    func probe() throws(ConnectorFault) {
        let answer = try run(
            "cd -P -- \(ShellText.quoted(home)) || exit 71; [ -L .ssh ] && exit 72; if [ -e .ssh ]; then \(Self.checks); [ -w . ] || exit 73; "
                + "else [ -w . ] || exit 73; fi; command -v base64 sha256sum mktemp >/dev/null || exit 76")
        guard answer.status == 0 else { throw Self.fault(answer, effect: .none) }
    }

    /// Reads, changes and replaces the file; once more if somebody else changed it in between.
    func change(_ body: (inout AuthorizedKeys) -> Void) throws(ConnectorFault) {
        for _ in 0..<3 {
            let old = try read()
            var keys = AuthorizedKeys(old ?? [])
            body(&keys)
            let new = keys.bytes
            if new == old { return }
            if try replace(old, by: new) { return }
        }
        throw ConnectorFault(.brokenProtocol, effect: .none, words: "authorized_keys changes all the time")
    }

    /// False if the file is not what it was.
    private func replace(_ old: [UInt8]?, by new: [UInt8]) throws(ConnectorFault) -> Bool {
        let before = try old.map { (bytes) throws(ConnectorFault) in try Self.digest(bytes) } ?? "none"
        let after = try Self.digest(new)
        let script = [
            "cd -P -- \(ShellText.quoted(home)) || exit 71", "[ -L .ssh ] && exit 72",
            "[ -d .ssh ] || mkdir -m 700 .ssh || exit 73",
            Self.checks, "have=none", "[ -e authorized_keys ] && have=$(sha256sum < authorized_keys | cut -c 1-64)",
            "[ \"$have\" = \(before) ] || exit 75", "new=$(mktemp ./.authorized_keys.XXXXXXXXXX) || exit 73",
            "trap 'rm -f \"$new\"' EXIT", "base64 -d > \"$new\" || exit 74",
            "[ \"$(sha256sum < \"$new\" | cut -c 1-64)\" = \(after) ] || exit 74",
            "if [ -e authorized_keys ]; then chgrp --reference=authorized_keys \"$new\" && chmod --reference=authorized_keys \"$new\" || exit 73; fi",
            "sync \"$new\" 2>/dev/null", "mv -f -T -- \"$new\" authorized_keys || exit 73", "sync . 2>/dev/null", "exit 0",
        ].joined(separator: "; ")
        let answer = try run(script, input: Self.base64Lines(new))
        if answer.status == 75 { return false }
        // Every way out of the script before the file was moved into place has a number of its own.
        guard answer.status == 0 else {
            throw Self.fault(answer, effect: (71...76).contains(answer.status) ? .none : .unknown)
        }
        return true
    }

    // MARK: - Parts of scripts

    private static let noDirectory: Int32 = 77

    /// Enters `~/.ssh` and sees that nothing there is a link or somebody else's.
    private static let checks =
        "[ -L .ssh ] && exit 72; [ -e .ssh ] || exit 77; [ -d .ssh ] && [ -O .ssh ] || exit 72; cd -P .ssh || exit 72; "
        + "[ -L authorized_keys ] && exit 72; if [ -e authorized_keys ]; then [ -f authorized_keys ] && [ -O authorized_keys ] || exit 72; fi"

    private func run(_ script: String, input: [SSHInput]? = nil) throws(ConnectorFault) -> LinuxShell.Answer {
        let whole = script.hasPrefix("cd ") ? script : "cd -P -- \(ShellText.quoted(home)) || exit 71; " + script
        let command = ShellText.quoted("umask 077; " + whole)
        // runuser(1) asks for nothing and takes no shell of the account's own. What runs as the account has pipes of its own and no terminal:
        // with the worker's it could read what the worker is told next, and answer for it. Both ends say how they ended.
        let line = """
            as() { if command -v runuser >/dev/null; then "$@" runuser -u \(name.word) -- sh -c \(command); \
            else "$@" su -s /bin/sh -c \(command) -- \(name.word); fi; }; \
            apart() { if command -v setsid >/dev/null; then as setsid -w; else as; fi; }; exec 4>&1; \
            ended=$({ { apart 2>&1 3>&- 4>&-; echo $? >&3; } | { head -c \(2 * Self.limit) >&4 && echo whole >&3; }; } 3>&1); \
            set -- $ended; [ "$2" = whole ] || exit 78; exit "$1"
            """
        let nothing = Secret(capacity: 0) { _ in 0 }
        return try shell.run(line, input: input, changes: input != nil, hiding: nothing)
    }

    /// Lines that a terminal takes, at any size.
    private static func base64Lines(_ bytes: [UInt8]) -> [SSHInput] {
        let text = Array(Base64Text.encode(bytes).utf8)
        var lines: [UInt8] = []
        for start in stride(from: 0, to: text.count, by: 76) { lines += text[start..<min(start + 76, text.count)] + [0x0A] }
        return [.bytes(lines)]
    }

    private static func digest(_ bytes: [UInt8]) throws(ConnectorFault) -> String {
        do throws(CryptographyFault) {
            let digits = Array("0123456789abcdef".utf8)
            let text = try SHA256.digest(bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
            return String(decoding: text, as: UTF8.self)
        } catch {
            throw ConnectorFault(.unreachable, effect: .none, words: "no digest")
        }
    }

    private static func fault(_ answer: LinuxShell.Answer, effect: ConnectorFault.Effect) -> ConnectorFault {
        let said = RemoteWords.of(answer.output)
        return switch answer.status {
        case 71: ConnectorFault(.unsupported, effect: effect, words: "the account has no home to keep its keys in. \(said)")
        case 72:
            ConnectorFault(
                .forbidden, effect: effect, words: "~/.ssh or authorized_keys is a link, or belongs to somebody else. \(said)")
        case 73: ConnectorFault(.notPermitted, effect: effect, words: "authorized_keys cannot be written. \(said)")
        case 74: ConnectorFault(.brokenProtocol, effect: effect, words: "authorized_keys did not arrive whole. \(said)")
        case 76: ConnectorFault(.unsupported, effect: effect, words: "base64, sha256sum or mktemp is missing. \(said)")
        default: ConnectorFault(.brokenProtocol, effect: effect, words: said)
        }
    }
}
