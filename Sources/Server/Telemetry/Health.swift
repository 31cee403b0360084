package import Audit
package import Storage
internal import Glibc
internal import JSON

/// Whether the server can do its work now, and if not, why.
package struct Health: Sendable {
    /// One thing that stands in the way; both texts are safe to show.
    package struct Reason: Sendable, Equatable {
        /// `sealed`, `audit`, `storage`, `disk`.
        package let code: String
        package let detail: String
    }

    private let isSealed: @Sendable () -> Bool
    private let audit: @Sendable () -> AuditStatus
    private let directory: DataDirectory
    /// Whether the disk reserve ought to be held.
    private let hasReserve: Bool
    /// Fewer free bytes than this are a full disk.
    private static let leastFreeBytes: Int64 = 1 << 20

    package init(
        directory: DataDirectory, hasReserve: Bool, isSealed: @escaping @Sendable () -> Bool,
        audit: @escaping @Sendable () -> AuditStatus
    ) {
        self.directory = directory
        self.hasReserve = hasReserve
        self.isSealed = isSealed
        self.audit = audit
    }

    /// What stands in the way; empty when the server is ready. A few system calls, no waiting.
    package var reasons: [Reason] {
        var reasons: [Reason] = []
        if isSealed() { reasons.append(Reason(code: "sealed", detail: "The vault is sealed.")) }
        let audit = audit()
        if !audit.isHealthy {
            reasons.append(Reason(code: "audit", detail: audit.fault ?? "The audit log cannot be written."))
        }
        if access(directory.database, W_OK) != 0 {
            reasons.append(
                Reason(code: "storage", detail: "The database cannot be written: " + String(cString: strerror(errno)) + "."))
        }
        if directory.freeBytes < Self.leastFreeBytes {
            reasons.append(Reason(code: "disk", detail: "The disk is full."))
        } else if hasReserve, !directory.reserve.isHeld {
            reasons.append(Reason(code: "disk", detail: "The disk is nearly full: the reserve is not held."))
        }
        return reasons
    }

    /// Adds the state of vault, audit and disk to the metrics.
    package func register(in registry: MetricRegistry) {
        let (isSealed, audit, directory) = (isSealed, audit, directory)
        registry.read("keyturn_sealed") { isSealed() ? 1 : 0 }
        registry.read("keyturn_audit_healthy") { audit().isHealthy ? 1 : 0 }
        registry.read("keyturn_audit_entries") { Double(audit().head.seq) }
        registry.read("keyturn_audit_unsigned_entries") { Double(max(0, audit().head.seq - audit().signedSeq)) }
        registry.read("keyturn_disk_free_bytes") { Double(directory.freeBytes) }
        registry.read("keyturn_disk_reserve_held") { directory.reserve.isHeld ? 1 : 0 }
    }
}

/// What health and metrics answer, whoever asks for them and wherever.
package struct OperationalAnswers: Sendable {
    package struct Answer: Sendable {
        package let status: Int
        package let contentType: StaticString
        package let bytes: [UInt8]
    }

    private let health: Health
    private let metrics: MetricRegistry

    package init(health: Health, metrics: MetricRegistry) {
        self.health = health
        self.metrics = metrics
    }

    /// The process is alive: it answered.
    package var liveness: Answer { Answer(status: 200, contentType: "application/json", bytes: Array(#"{"alive":true}"#.utf8)) }

    /// 200 when requests can be granted, else 503 with the reasons.
    package var readiness: Answer {
        let reasons = health.reasons
        var writer = JSONWriter()
        writer.object {
            $0.field("ready", reasons.isEmpty)
            $0.array("reasons") { list in
                for reason in reasons {
                    list.object {
                        $0.field("code", reason.code)
                        $0.field("detail", reason.detail)
                    }
                }
            }
        }
        return Answer(status: reasons.isEmpty ? 200 : 503, contentType: "application/json", bytes: writer.bytes)
    }

    /// All metrics, as Prometheus reads them.
    package var exposition: Answer { Answer(status: 200, contentType: MetricRegistry.contentType, bytes: metrics.text) }
}
