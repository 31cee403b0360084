package import Domain

/// Told after each numbered step of every turn, and waited for: where tests count, or keep turns standing.
package struct StepProbe: Sendable {
    package let reached: @Sendable (TurnStep, AccountID) async -> Void

    package init(reached: @escaping @Sendable (TurnStep, AccountID) async -> Void) { self.reached = reached }

    /// Does nothing; in debug builds, keeps turns where `KEYTURN_HOLD` says.
    package static let standard: StepProbe = {
        #if DEBUG
            if let hold = StepHold.ofEnvironment { return StepProbe { step, account in await hold.reached(step, account) } }
        #endif
        return StepProbe { _, _ in }
    }()
}

#if DEBUG
    internal import Glibc

    /// Keeps every turn that has made a step from going on for as long as a file of the step's name is in the directory `KEYTURN_HOLD`.
    ///
    /// Each writes its account into the file. Whoever made the file knows from it which changes stand right behind the step, and may
    /// then kill the process or fill its disk. It is not part of release builds: nobody may stop a server by an environment variable.
    struct StepHold: Sendable {
        private let directory: String

        static let ofEnvironment: StepHold? = getenv("KEYTURN_HOLD").map { StepHold(directory: String(cString: $0)) }

        func reached(_ step: TurnStep, _ account: AccountID) async {
            let path = directory + "/" + step.name
            guard Self.sign(account, at: path) else { return }
            while access(path, F_OK) == 0 {
                do { try await Task.sleep(for: .milliseconds(20)) } catch { return }
            }
        }

        /// False where the file is not there.
        private static func sign(_ account: AccountID, at path: String) -> Bool {
            let file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
            guard file >= 0 else { return false }
            defer { close(file) }
            let line = Array("\(account)\n".utf8)
            return write(file, line, line.count) == line.count
        }
    }
#endif
