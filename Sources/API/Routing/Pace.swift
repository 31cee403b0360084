internal import Audit

/// Leaves the processor to fetches between the parts of a long change, such as an import.
///
/// A part takes processor time, and has fetches read anew what they keep of rows (docs/decisions/0004): at full speed an import would take
/// a good part of the fetches' rate where processors are few. While applications fetch, each part is followed by a rest; else there is none.
struct Pace {
    private let audit: AuditLog
    private var part: Part

    init(_ audit: AuditLog) {
        self.audit = audit
        part = Part(audit)
    }

    /// Rests after a part, if there is anybody to rest for.
    mutating func rest() async {
        // A rest that is cut short, because nobody waits for the change any more, is no fault.
        if let rest = part.rest(entries: audit.status.head.seq, at: .now) { try? await Task.sleep(for: rest) }
        part = Part(audit)
    }

    /// The part of a change that is under way.
    struct Part {
        /// Entries of the audit, and the moment, at which it began.
        let entries: Int64
        let start: ContinuousClock.Instant

        /// Entries a second from which on applications are taken to be fetching: each fetch leaves one.
        static let busy: Int64 = 500
        /// What the part itself leaves: its announcement and its outcome.
        static let own: Int64 = 2
        /// Times that a rest is as long as its part.
        static let times = 5
        /// So often at most fetches have to read everything anew.
        static let shortest = Duration.milliseconds(400)
        /// A request has its deadline, and does its work in 16 parts.
        static let longest = Duration.milliseconds(600)

        /// How long to rest after a part that ends now; nil where nobody fetches.
        func rest(entries now: Int64, at end: ContinuousClock.Instant) -> Duration? {
            let took = start.duration(to: end)
            guard took > .zero, .seconds(now - entries - Self.own) > took * Self.busy else { return nil }
            return min(max(took * Self.times, Self.shortest), Self.longest)
        }
    }
}

extension Pace.Part {
    fileprivate init(_ audit: AuditLog) {
        self.init(entries: audit.status.head.seq, start: .now)
    }
}
