package import Domain

/// Told after each numbered step of every turn: where tests end the process, or count.
package struct StepProbe: Sendable {
    package let reached: @Sendable (TurnStep, AccountID) -> Void

    package init(reached: @escaping @Sendable (TurnStep, AccountID) -> Void) { self.reached = reached }

    /// Does nothing; in debug builds, ends the process where `KEYTURN_CRASH_AFTER` says so.
    package static let standard: StepProbe = {
        #if DEBUG
            if let point = CrashPoint.ofEnvironment { return StepProbe { step, _ in point.reached(step) } }
        #endif
        return StepProbe { _, _ in }
    }()
}

#if DEBUG
    internal import Glibc
    internal import Synchronization

    /// A place where the process ends itself as if the power were cut: `KEYTURN_CRASH_AFTER=install:3` means after the third install.
    ///
    /// It is not part of release builds: nobody may stop a server by an environment variable.
    final class CrashPoint: Sendable {
        private let step: TurnStep
        private let left: Atomic<Int>

        init?(_ text: String) {
            let parts = text.split(separator: ":")
            guard let name = parts.first, let step = TurnStep.allCases.first(where: { $0.name == name }) else { return nil }
            self.step = step
            left = Atomic(parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
        }

        static let ofEnvironment: CrashPoint? = getenv("KEYTURN_CRASH_AFTER").flatMap { CrashPoint(String(cString: $0)) }

        func reached(_ step: TurnStep) {
            guard step == self.step, left.subtract(1, ordering: .relaxed).newValue == 0 else { return }
            kill(getpid(), SIGKILL)
        }
    }
#endif
