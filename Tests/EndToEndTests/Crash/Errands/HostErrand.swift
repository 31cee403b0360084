import TestSupport

/// Work on the host of a `HostSite`; one line in its `errands`.
protocol HostErrand: Errand {
    var site: HostSite { get }
}

extension HostErrand {
    var crash: CrashSite { site.crash }
    var asset: String { site.direct }

    /// Which of them the host has.
    func present(_ subjects: [Subject]) async throws -> Set<String> {
        let names = subjects.map(\.username).joined(separator: " ")
        let text = try await site.host.expect("for name in \(names); do getent passwd -- $name | cut -d : -f 1; done; true")
        return Set(text.split(separator: "\n").map(String.init))
    }
}
