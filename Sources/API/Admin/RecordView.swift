internal import Domain
internal import JSON
internal import Storage

/// A record as answers show it: numbers of versions, never values.
struct RecordView: Sendable {
    let record: Record

    static let schema = Schema(
        "AutomationRecord",
        [
            .field("id", .uuid, .readOnly), .field("execution", .uuid, .readOnly),
            .field("type", .choice(TaskKind.allCases.map(\.rawValue)), .readOnly), .field("asset", .related, .readOnly),
            .field("account", .related, .readOnly, "Null as long as the vault has none."),
            .field("username", .text(max: 128), .readOnly),
            .field("secret_type", .choice(SecretType.allCases.map(\.rawValue)), .readOnly),
            .field("status", .choice(Record.Status.allCases.map(\.rawValue)), .readOnly),
            .field("reason", .text(max: 64), .readOnly, "A word from a closed list."),
            .field("error", .text(max: 1024), .readOnly, "What went wrong or stood in the way, for people; empty of a success."),
            .field("remark", .text(max: 1024), .readOnly, "What is to be said of a success, for people; else empty."),
            .field("date_until", .dateTime, .readOnly, "When the target takes a change again."),
            .field("old_version", .integer, .readOnly), .field("new_version", .integer, .readOnly),
            .field("steps", .list(of: steps), .readOnly, "What was done, in order."),
            .field("ignore_fail", .boolean, .readOnly), .field("date_created", .dateTime, .readOnly),
            .field("date_start", .dateTime, .readOnly), .field("date_finished", .dateTime, .readOnly),
            .field("org_id", .uuid, .readOnly),
        ])

    private static let steps: [Schema.Field] = [
        .field("code", .text(max: 16), .readOnly, "One of \(TurnStep.allCases.map(\.name).joined(separator: ", "))."),
        .field(
            "reason", .text(max: 64), .readOnly,
            "Why it did not end as asked: a word from the same list as the record's reason; null where it did."),
        .field("words", .text(max: 200), .readOnly, "How it ended, for people."), .field("date", .dateTime, .readOnly),
    ]

    var object: AuditObject { AuditObject(record) }

    var reply: Reply {
        var writer = JSONWriter()
        write(to: &writer)
        return .json(status: 200, writer.bytes)
    }

    func write(to writer: inout JSONWriter<[UInt8]>) {
        writer.object { writer in
            writer.field("id", record.id)
            writer.field("execution", record.execution)
            writer.choice("type", value: record.kind.rawValue, label: record.kind.label)
            writer.related("asset", record.asset, named: record.assetName)
            if let account = record.account {
                writer.related("account", account, named: record.username)
            } else {
                writer.field("account", nil as String?)
            }
            writer.field("username", record.username)
            writer.choice("secret_type", value: record.secretType.rawValue, label: record.secretType.label)
            writer.choice("status", value: record.status.rawValue, label: record.status.label)
            writer.field("reason", record.reason?.rawValue)
            writer.field("error", record.status == .success ? "" : words)
            writer.field("remark", record.status == .success ? words : "")
            writer.field("date_until", record.until)
            writer.field("old_version", record.oldVersion)
            writer.field("new_version", record.newVersion)
            writer.array("steps") { list in
                for step in record.steps {
                    list.object {
                        $0.field("code", step.step.name)
                        $0.field("reason", step.reason?.rawValue)
                        $0.field("words", step.words)
                        $0.field("date", step.date)
                    }
                }
            }
            writer.field("ignore_fail", record.isIgnored)
            writer.field("date_created", record.dateCreated)
            writer.field("date_start", record.dateStart)
            writer.field("date_finished", record.dateFinished)
            writer.field("org_id", record.organization)
        }
    }

    /// What people read: what it means, and what the target said.
    private var words: String {
        let words = record.reason?.words ?? ""
        return record.detail.isEmpty ? words : words.isEmpty ? record.detail : "\(words) (\(record.detail))"
    }
}

extension AuditObject {
    init(_ record: Record) {
        self.init(kind: "record", id: record.id.description, name: "\(record.assetName)(\(record.username))")
    }
}
