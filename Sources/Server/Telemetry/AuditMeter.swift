package import Audit
internal import CoreMetrics

/// Measures the audit's commits: their size, how long they take, and which failed.
package struct AuditMeter: Sendable {
    private let entries: Recorder
    private let duration: CoreMetrics.Timer
    private let failures: Counter

    package init(registry: MetricRegistry) {
        entries = Recorder(label: "keyturn_audit_commit_entries", dimensions: [], aggregate: true, factory: registry)
        duration = Timer(label: "keyturn_audit_commit_seconds", dimensions: [], factory: registry)
        failures = Counter(label: "keyturn_audit_commit_failures_total", dimensions: [], factory: registry)
    }

    /// For `AuditOptions.observer`.
    package func observe(_ commit: AuditCommit) {
        guard commit.isDurable else { return failures.increment() }
        entries.record(commit.entries)
        let (seconds, attoseconds) = commit.duration.components
        duration.recordNanoseconds(
            seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue &+ attoseconds / 1_000_000_000)
    }
}
