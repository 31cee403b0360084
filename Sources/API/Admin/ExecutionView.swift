internal import Domain
internal import JSON
internal import Storage

/// An execution as answers show it, with what its records sum up to.
struct ExecutionView: Sendable {
    let execution: Execution
    let counts: [Record.Status: Int64]

    static let schema = Schema(
        "AutomationExecution",
        [
            .field("id", .uuid, .readOnly), .field("automation", .related, .readOnly, "Null for accounts chosen one by one."),
            .field("type", .choice(TaskKind.allCases.map(\.rawValue)), .readOnly),
            .field("status", .choice(Execution.Status.allCases.map(\.rawValue)), .readOnly),
            .field("trigger", .choice(Execution.Trigger.allCases.map(\.rawValue)), .readOnly),
            .field("author", .text(max: 128), .readOnly), .field("reason", .text(max: 512), .readOnly),
            .field("progress", .anyObject, .readOnly, "total and done."),
            .field("summary", .anyObject, .readOnly, "Records by status."),
            .field("snapshot", .anyObject, .readOnly, "What was asked for, without secrets."),
            .field("date_created", .dateTime, .readOnly), .field("date_start", .dateTime, .readOnly),
            .field("date_finished", .dateTime, .readOnly), .field("duration", .number, .readOnly, "Seconds."),
            .field("org_id", .uuid, .readOnly),
        ])

    var object: AuditObject { AuditObject(execution) }

    static func views(_ executions: [Execution], _ transaction: Transaction) throws -> [ExecutionView] {
        try executions.map {
            ExecutionView(execution: $0, counts: try Records.readableCounts(of: $0.id, in: $0.organization, on: transaction.db))
        }
    }

    var reply: Reply {
        var writer = JSONWriter()
        write(to: &writer)
        return .json(status: 200, writer.bytes)
    }

    func write(to writer: inout JSONWriter<[UInt8]>) {
        writer.object { writer in
            writer.field("id", execution.id)
            if let task = execution.task {
                writer.related("automation", task, named: execution.taskName)
            } else {
                writer.field("automation", nil as String?)
            }
            writer.choice("type", value: execution.kind.rawValue, label: execution.kind.label)
            writer.choice("status", value: execution.status.rawValue, label: execution.status.label)
            writer.choice("trigger", value: execution.trigger.rawValue, label: execution.trigger.label)
            writer.field("author", execution.author.name)
            writer.field("reason", execution.reason)
            writer.object("progress") {
                $0.field("total", execution.progress.total)
                $0.field("done", execution.progress.done)
            }
            writer.object("summary") { writer in
                writer.field("total", counts.values.reduce(0, +))
                for status in Record.Status.allCases { writer.field(status.rawValue, counts[status] ?? 0) }
            }
            writer.key("snapshot")
            execution.order.write(to: &writer)
            writer.field("date_created", execution.dateCreated)
            writer.field("date_start", execution.dateStart)
            writer.field("date_finished", execution.dateFinished)
            writer.key("duration")
            if let seconds { writer.double(seconds) } else { writer.null() }
            writer.field("org_id", execution.organization)
        }
    }

    private var seconds: Double? {
        guard let start = execution.dateStart, let end = execution.dateFinished else { return nil }
        return Double(end.milliseconds - start.milliseconds) / 1000
    }
}

/// An execution for people to read, from its records and their steps. It holds no secret, since no record does.
struct ExecutionLog {
    let execution: Execution
    let records: [Record]
    let total: Int64

    /// Records that one log shows.
    static let mostRecords: Int64 = 2000

    var text: String {
        var lines = [
            Self.line(
                execution.dateCreated, "\(execution.kind.label) \"\(execution.taskName)\", asked for by \(execution.author.name)")
        ]
        if let start = execution.dateStart { lines.append(Self.line(start, "started, \(execution.progress.total) accounts")) }
        for record in records { lines += Self.lines(of: record) }
        if total > Int64(records.count) { lines.append("\(records.count) of \(total) records shown") }
        if let end = execution.dateFinished {
            let reason = execution.reason.isEmpty ? "" : ": " + execution.reason
            lines.append(Self.line(end, execution.status.rawValue + reason))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(of record: Record) -> [String] {
        let name = "\(record.assetName)/\(record.username)"
        var lines = record.steps.map { step in
            line(step.date, "\(name): \(step.step.name)" + (step.words.isEmpty ? "" : ": " + step.words))
        }
        let reason = record.reason.map { ": " + $0.words } ?? ""
        let detail = record.detail.isEmpty ? "" : " (" + record.detail + ")"
        lines.append(line(record.dateFinished ?? record.dateCreated, "\(name): \(record.status.rawValue)\(reason)\(detail)"))
        return lines
    }

    private static func line(_ date: Timestamp, _ text: String) -> String {
        // Names come from outside: a line break in one must not make a line of its own.
        let clean = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
        return WireDate.format(date) + " " + clean
    }
}
