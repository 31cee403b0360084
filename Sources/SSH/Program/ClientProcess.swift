internal import CSSHShim
internal import Glibc

/// A running `ssh` program: a session and a terminal of its own, no descriptors but the connection and its error output.
final class ClientProcess {
    static let program = "/usr/bin/ssh"
    /// Of what it says no more is kept.
    static let wordsLimit = 16 * 1024

    let number: Int32
    /// The controlling side of its terminal, on which it asks for host key and password.
    let terminal: Descriptor
    let errors: Descriptor
    private(set) var asked: [UInt8] = []
    private(set) var said: [UInt8] = []
    private(set) var isTalking = true
    private var hasEnded = false

    init(arguments: [String], environment: [String], connection: Descriptor) throws(SSHFault) {
        let (terminal, name) = try Self.openTerminal()
        let (errors, errorEnd) = try Descriptor.pipe()
        var process: pid_t = 0
        let code = Self.withCStrings([Self.program] + arguments) { arguments in
            Self.withCStrings(environment) { environment in
                kssh_spawn(&process, Self.program, arguments, environment, connection.number, errorEnd.number, name)
            }
        }
        guard code == 0 else {
            throw SSHFault(.localFailure, words: "\(Self.program): \(String(cString: strerror(code)))")
        }
        number = process
        self.terminal = terminal
        self.errors = errors
        for descriptor in [terminal, errors] { descriptor.makeNonBlocking() }
    }

    deinit { end() }

    static func openTerminal() throws(SSHFault) -> (Descriptor, name: String) {
        var name = [CChar](repeating: 0, count: 64)
        let number = kssh_terminal_open(&name, name.count)
        guard number >= 0 else { throw .system("posix_openpt") }
        return (Descriptor(number), String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// Whether it has ended by itself; then it is collected.
    var isOver: Bool {
        if hasEnded { return true }
        var status: Int32 = 0
        if waitpid(number, &status, WNOHANG) == number { hasEnded = true }
        return hasEnded
    }

    func end() {
        guard !isOver else { return }
        kill(number, SIGKILL)
        var status: Int32 = 0
        while waitpid(number, &status, 0) < 0, errno == EINTR {}
        hasEnded = true
    }

    /// Takes what it asks and says, without waiting.
    func listen() {
        Self.gather(terminal, into: &asked)
        if !Self.gather(errors, into: &said) { isTalking = false }
    }

    func forgetQuestions() { asked = [] }

    /// False at the end. Of a flood the latest is kept.
    @discardableResult
    private static func gather(_ descriptor: Descriptor, into text: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        for _ in 0..<64 {
            switch buffer.withUnsafeMutableBytes({ descriptor.read(into: $0) }) {
            case .count(let count):
                text += buffer[..<count]
                if text.count > wordsLimit { text.removeFirst(text.count - wordsLimit) }
            case .nothingYet: return true
            case .ended: return false
            }
        }
        return true
    }

    private static func withCStrings<Value>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value {
        let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { (pointers + index).initialize(to: strdup(string)) }
        (pointers + strings.count).initialize(to: nil)
        defer {
            for index in strings.indices { free(pointers[index]) }
            pointers.deallocate()
        }
        return body(pointers)
    }
}
