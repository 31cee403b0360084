internal import Server

/// How a run ended, for scripts; documented in docs/cli.md.
enum ExitStatus: Int32, Error {
    case success = 0
    case failure = 1
    case usage = 2
    case notAuthenticated = 3
    case refused = 4
    case unavailable = 5

    init(_ kind: OperatorFault.Kind) {
        self =
            switch kind {
            case .failed: .failure
            case .notAuthenticated: .notAuthenticated
            case .refused: .refused
            case .unavailable: .unavailable
            }
    }
}
