internal import Cryptography
internal import SSH

/// Scripts run with root's power on a Linux host, whatever way there is to it.
///
/// A script is one line for `sh`, and no secret is in it. What is secret goes to its standard input, and
/// only once the script has said that it is there: where `sudo` or `su` ask for a password on the same terminal, what was meant for
/// the one can not be read by the other. What it reads ends with a line that is drawn anew each time, and a script whose input was
/// cut off reads nothing at all instead of half a password.
///
/// Without a terminal all scripts of a session go to one `sh` that stays: a login shell, `sudo` and `sh` for each would cost the host more
/// than what the scripts do. With one, each is a command line of its own.
struct LinuxShell: Sendable {
    /// How a login becomes root.
    enum Power: Sendable {
        /// It is.
        case own
        /// `sudo` asks for nothing.
        case sudo
        /// `sudo` wants a terminal; it asks for the password that is given, or for nothing. With one, each script is a login of the worker's.
        case sudoOnTerminal(RootPassword?)
        /// `su` on a terminal, with root's password: each script is a login of root's.
        case su(RootPassword)
    }

    /// How a script ended and what it wrote, to both outputs.
    struct Answer: Sendable {
        let status: Int32
        let output: [UInt8]

        var text: String { String(decoding: output, as: UTF8.self) }
        var lines: [Substring] { text.split(separator: "\n") }
    }

    let session: SSHSession
    let power: Power
    let limit: Duration

    /// Runs a script.
    ///
    /// - Parameters:
    ///   - input: lines, each with its end; nil where it reads nothing.
    ///   - isLine: the input is one line, which the shell reads itself.
    ///   - changes: whether it could change the target; decides what a fault says of it.
    ///   - secret: what must not come back in words.
    func run(
        _ script: String, input: [SSHInput]? = nil, isLine: Bool = false, changes: Bool = false, hiding secret: borrowing Secret
    ) throws(ConnectorFault) -> Answer {
        let frame: ScriptFrame
        do throws(CryptographyFault) {
            frame = try ScriptFrame(input == nil ? .nothing : isLine ? .line : .lines, isOnTerminal: isOnTerminal)
        } catch {
            throw ConnectorFault(.unreachable, effect: .none, words: "no random numbers")
        }
        guard isOnTerminal else {
            let steps = input.map { [frame.step($0)] } ?? []
            let talk = SSHTalk(frame.line(script), steps: steps, until: frame.end, limit: limit)
            let told = try told(changes) { () throws(SSHFault) in
                try session.talk(talk, to: power.isSudo ? "exec env LC_ALL=C sudo -n -- sh" : "exec sh")
            }
            let isHeard = told.answered == steps.count
            do throws(ConnectorFault) {
                return try answer(frame, told.output, told.errorOutput, changes: changes && isHeard, hiding: secret)
            } catch {
                // A shell that did what it was told before, and is gone, refuses nothing.
                guard told.wasStanding, told.hasEnded, error.kind == .notPermitted else { throw error }
                throw ConnectorFault(.cut, effect: error.effect, words: error.words)
            }
        }
        let dialogue = dialogue(ShellText.quoted(frame.wrapped(script)), frame, input)
        let ended = try counted(dialogue, frame, changes)
        if ended.answered == 0, let asked = frame.asked(in: ended.result.output) {
            throw ConnectorFault(
                .notPermitted, effect: .none, words: "sudo asks for the password of another account, \(asked), which is not sent")
        }
        // Nothing that was meant for the script has left.
        let isUnheard = input != nil && ended.answered < dialogue.steps.count
        return try answer(frame, ended.result.output, [], changes: changes && !isUnheard, hiding: secret)
    }

    /// Has the logins counted that `su` and `sudo` make: one that did not come to the script was refused, whatever for.
    private func counted(
        _ dialogue: SSHDialogue, _ frame: ScriptFrame, _ changes: Bool
    ) throws(ConnectorFault) -> SSHDialogueResult {
        guard let password = power.password else {
            return try told(changes) { () throws(SSHFault) in try session.dialogue(dialogue) }
        }
        try password.enter()
        do throws(SSHFault) {
            let ended = try session.dialogue(dialogue)
            let isIn = frame.hasBegun(ended.result.output) || power.asksByName && Self.isForbidden(ended.result.output)
            password.end(isIn ? .accepted : ended.answered > 0 ? .rejected : .notMade)
            return ended
        } catch {
            password.end(error.sent ? .unclear : .notMade)
            throw ConnectorFault(error, changes: changes)
        }
    }

    /// Whether sudo, under the C locale, took the password and says that it is of no use.
    private static func isForbidden(_ output: [UInt8]) -> Bool {
        let words = RemoteWords.of(output)
        return ["is not in the sudoers file", "may not run sudo", "is not allowed to"].contains(where: words.contains)
    }

    /// SSH's faults as a connector's.
    private func told<Output>(_ changes: Bool, _ body: () throws(SSHFault) -> Output) throws(ConnectorFault) -> Output {
        do throws(SSHFault) {
            return try body()
        } catch {
            throw ConnectorFault(error, changes: changes)
        }
    }

    /// The same where there is nothing to hide.
    func run(_ script: String, changes: Bool = false) throws(ConnectorFault) -> Answer {
        let nothing = Secret(capacity: 0) { _ in 0 }
        return try run(script, input: nil, changes: changes, hiding: nothing)
    }

    private var isOnTerminal: Bool {
        switch power {
        case .own, .sudo: false
        case .sudoOnTerminal, .su: true
        }
    }

    private func dialogue(_ command: String, _ frame: ScriptFrame, _ input: [SSHInput]?) -> SSHDialogue {
        var steps: [SSHDialogue.Step] = []
        let line: String
        switch power {
        case .su(let password):
            line = "exec env LC_ALL=C su -c \(command) -- root"
            steps.append(SSHDialogue.Step(prompt: SuPrompt.end, answer: [.secret(password.secret), .text("\n")]))
        case .sudoOnTerminal(.some(let password)):
            // A ticket that is still good is not used, so that sudo always asks and never leaves the password to the script. It names
            // whose password it wants (%p): another's (rootpw, targetpw) it does not get, nor the same one twice.
            line = "exec env LC_ALL=C sudo -k -p \(ShellText.quoted(frame.sudoPrompt(for: "%p"))) -- sh -c \(command)"
            steps.append(
                SSHDialogue.Step(
                    prompt: frame.sudoPrompt(for: password.owner), answer: [.secret(password.secret), .text("\n")]))
        case .own, .sudo, .sudoOnTerminal(.none):
            line = "exec env LC_ALL=C sudo -n -- sh -c \(command)"
        }
        if let input { steps.append(frame.step(input)) }
        return SSHDialogue(line, steps: steps, breakingOffAt: power.asksByName ? frame.sudoPromptEnd : "", limit: limit)
    }

    private func answer(
        _ frame: ScriptFrame, _ output: [UInt8], _ errors: [UInt8], changes: Bool, hiding secret: borrowing Secret
    ) throws(ConnectorFault) -> Answer {
        if let answer = frame.answer(in: output) {
            // A program that was handed nothing may well end in peace.
            guard answer.status != 0 || frame.hasHandedOver(output) else {
                throw ConnectorFault(
                    .brokenProtocol, effect: changes ? .unknown : .none, words: "the host's shell did not hand over its input")
            }
            return answer
        }
        let words = RemoteWords.of(output + errors, hiding: secret)
        guard frame.hasBegun(output) else {
            throw ConnectorFault(.notPermitted, effect: changes ? .unknown : .none, words: words)
        }
        throw ConnectorFault(.brokenProtocol, effect: changes ? .unknown : .none, words: words)
    }
}

extension LinuxShell.Power {
    fileprivate var isSudo: Bool {
        if case .own = self { false } else { true }
    }

    fileprivate var asksByName: Bool {
        if case .sudoOnTerminal(.some) = self { true } else { false }
    }

    fileprivate var password: RootPassword? {
        switch self {
        case .own, .sudo: nil
        case .sudoOnTerminal(let password): password
        case .su(let password): password
        }
    }
}

/// What util-linux, shadow and PAM ask with under the C locale; `su` takes no prompt of ours.
enum SuPrompt {
    static let end = "assword: "
}

/// What a script is wrapped in, so that its output and status are told from whatever a login shell, `sudo` or a terminal add.
///
/// All marks are drawn anew for each script, and none stands on the command line as it comes out.
struct ScriptFrame {
    private let first: String
    private let second: String
    private let third: String
    private let input: Input
    private let isOnTerminal: Bool

    /// What a script reads.
    enum Input: Sendable, CaseIterable { case nothing, line, lines }

    init(_ input: Input, isOnTerminal: Bool) throws(CryptographyFault) {
        let letters = try SecureRandom.bytes(count: 36).map { SecureRandom.alphanumerics[Int($0) % 26] }
        first = String(decoding: letters.prefix(12), as: UTF8.self)
        second = String(decoding: letters.dropFirst(12).prefix(12), as: UTF8.self)
        third = String(decoding: letters.suffix(12), as: UTF8.self)
        self.input = input
        self.isOnTerminal = isOnTerminal
    }

    private var beginning: String { first + second }
    /// Begins the last line.
    var end: String { second + first }
    /// Ends the input, as a line of its own.
    var inputEnd: String { second + second }
    /// Says that the script has begun to read, and that its terminal, if there is one, does not echo.
    private var ready: String { first + first }
    /// The prompt that sudo is told to use, or uses, for the password of an account. It does stand on the command line, which nothing echoes.
    func sudoPrompt(for name: String) -> String { "[keyturn \(name)" + sudoPromptEnd }
    /// Whoever's password is asked for.
    var sudoPromptEnd: String { " \(first)] " }

    /// Whose password sudo asked for, made fit for a message; nil if it asked for none.
    func asked(in output: [UInt8]) -> String? {
        guard let end = Self.place(of: sudoPromptEnd, in: output, from: 0) else { return nil }
        let name = output[..<end].split(separator: 0x20, omittingEmptySubsequences: false).last ?? []
        return RemoteWords.of(Array(name.suffix(64)))
    }
    /// Says that the script was handed all of its input: the status of what hands it over is lost in a pipeline.
    private var handedOver: String { third + third }

    /// Sends a script what it reads, once it reads.
    func step(_ input: [SSHInput]) -> SSHDialogue.Step {
        SSHDialogue.Step(prompt: ready, answer: input + [.text(inputEnd + "\n")])
    }

    /// What a shell is told that reads its commands where the script reads its input. It ends with a script that reads: had what reads died
    /// before the input came, that would be the shell's next command.
    func line(_ script: String) -> String {
        input == .nothing ? wrapped(script) + "\n" : "{ \(wrapped(script))\n}; exit\n"
    }

    func wrapped(_ script: String) -> String {
        var parts = [
            "LC_ALL=C; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH; umask 077; exec 2>&1",
            "printf '%s%s\\n' \(first) \(second)",
        ]
        if isOnTerminal { parts.append("stty -echo -opost 2>/dev/null") }
        if input != .nothing { parts.append("printf '%s%s' \(first) \(first)") }
        // Kept until the last line has come: what was cut off is no input. One line costs the host no program: without a PATH, a shell that
        // has no printf of its own finds none, and shows the line to nobody.
        let reading: String
        switch input {
        case .nothing: reading = ""
        case .line:
            reading =
                "PATH=/dev/null; IFS= read -r a && IFS= read -r b && [ \"$b\" = \(inputEnd) ] && printf '%s\\n' \"$a\""
        case .lines: reading = "sed -n -e '/^\(inputEnd)$/{x;s/^\\n//;p;q' -e '}' -e H"
        }
        if reading.isEmpty {
            parts.append("( \(script) ) </dev/null")
        } else {
            let told = "printf '%s%s' \(third) \(third) >&3"
            parts.append("{ { \(reading) && \(told); } | ( \(script) ) 3>&-; } 3>&1")
        }
        parts.append("printf '\\n%s%s%s\\n' \(second) \(first) \"$?\"")
        return parts.joined(separator: "; ")
    }

    func hasHandedOver(_ output: [UInt8]) -> Bool {
        input == .nothing || Self.place(of: handedOver, in: output, from: 0) != nil
    }

    func hasBegun(_ output: [UInt8]) -> Bool { Self.place(of: beginning, in: output, from: 0) != nil }

    /// What stands between beginning and end, without the marks; nil if either is missing.
    func answer(in output: [UInt8]) -> LinuxShell.Answer? {
        guard let start = Self.place(of: beginning, in: output, from: 0) else { return nil }
        let from = start + beginning.utf8.count
        guard let stop = Self.place(of: end, in: output, from: from) else { return nil }
        let digits = output[(stop + end.utf8.count)...].prefix(3).prefix { (0x30...0x39).contains($0) }
        guard let status = Int32(String(decoding: digits, as: UTF8.self)) else { return nil }
        var body = output[from..<stop].filter { $0 != 0x0D }
        for mark in input == .nothing ? [] : [ready, handedOver] {
            guard let place = Self.place(of: mark, in: body, from: 0) else { continue }
            body.removeSubrange(place..<(place + mark.utf8.count))
        }
        if body.first == 0x0A { body.removeFirst() }
        // The frame's own line end, and the script's last.
        for _ in 0..<2 where body.last == 0x0A { body.removeLast() }
        return LinuxShell.Answer(status: status, output: body)
    }

    private static func place(of mark: String, in bytes: [UInt8], from start: Int) -> Int? {
        let mark = Array(mark.utf8)
        guard bytes.count - start >= mark.count else { return nil }
        return (start...(bytes.count - mark.count)).first { bytes[$0] == mark[0] && bytes[$0...].starts(with: mark) }
    }
}
