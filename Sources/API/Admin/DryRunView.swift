internal import Automation
internal import Domain
internal import JSON

/// What a task would do, as answers show it.
struct DryRunView: Sendable {
    let task: AutomationTask
    let plan: WorkPlan

    static let schema = Schema(
        "DryRun",
        [
            .field("automation", .related, .readOnly), .field("type", .choice(TaskKind.tasks.map(\.rawValue)), .readOnly),
            .field("total", .integer, .readOnly), .field("ready", .integer, .readOnly),
            .field("refused", .integer, .readOnly),
            .field(
                "works",
                .list(of: [
                    .field("asset", .related), .field("account", .related), .field("username", .text(max: 128)),
                    .field("secret_type", .text(max: 32)), .field("worker", .related),
                    .field("gateway", .related), .field("does", .text(max: 64)),
                    .field("if_absent", .text(max: 64)), .field("if_present", .text(max: 64)), .field("refused", .boolean),
                    .field("reason", .text(max: 64)), .field("detail", .text(max: 256)),
                ]), .readOnly),
        ])

    var reply: Reply {
        .object { writer in
            writer.related("automation", task.id, named: task.name)
            writer.choice("type", value: task.kind.rawValue, label: task.kind.label)
            writer.field("total", plan.works.count)
            writer.field("ready", plan.ready)
            writer.field("refused", plan.works.count - plan.ready)
            writer.array("works") { list in for work in plan.works { list.object { write(work, &$0) } } }
        }
    }

    private func write(_ work: PlannedWork, _ writer: inout JSONWriter<[UInt8]>) {
        writer.related("asset", work.asset, named: work.assetName)
        Self.related("account", work.account, work.accountName, &writer)
        writer.field("username", work.username)
        writer.field("secret_type", work.secretType.rawValue)
        Self.related("worker", work.worker, work.workerName, &writer)
        Self.related("gateway", work.gateway, work.gatewayName, &writer)
        if task.kind == .pushAccount, work.refusal == nil {
            let acts = work.pushActs(task.order)
            writer.field("if_absent", acts.absent.rawValue)
            writer.field("if_present", acts.present.rawValue)
        } else {
            writer.field("does", work.refusal == nil ? task.kind.rawValue : nil)
        }
        writer.field("refused", work.refusal != nil)
        writer.field("reason", work.refusal?.rawValue)
        writer.field("detail", work.refusal?.words)
    }

    private static func related<Entity>(
        _ name: String, _ id: Identifier<Entity>?, _ title: String, _ writer: inout JSONWriter<[UInt8]>
    ) {
        guard let id else { return writer.field(name, nil as String?) }
        writer.related(name, id, named: title)
    }
}
