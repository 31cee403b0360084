internal import Client

/// How a run ended, for scripts; documented in docs/cli.md.
enum ExitStatus: Int32 {
    case success = 0
    case failure = 1
    case usage = 2
    case notAuthenticated = 3
    case refused = 4
    case unavailable = 5
    /// What shells use for a program that cannot be started, and for one that is not there.
    case notExecutable = 126
    case notFound = 127

    init(_ reason: ClientError.Reason) {
        self =
            switch reason {
            case .unauthenticated, .confirmationRequired: .notAuthenticated
            case .forbidden, .notFound, .ambiguous, .noSecret, .conflict, .throttled: .refused
            case .sealed, .unavailable, .untrustedServer, .timedOut: .unavailable
            case .invalidConfiguration, .invalidRequest, .cancelled, .unexpectedAnswer: .failure
            }
    }
}

/// A run that cannot go on, for a reason that did not come from the server.
struct Failure: Swift.Error {
    let text: String
    var status = ExitStatus.failure

    init(_ text: String, status: ExitStatus = .failure) {
        self.text = text
        self.status = status
    }
}
