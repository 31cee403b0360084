internal import Access
internal import Automation
internal import Domain
internal import JSON
internal import Storage

/// A task as answers show it, without its secret.
struct AutomationTaskView: Sendable {
    let task: AutomationTask
    let state: TaskState?
    /// Since when a run is overdue.
    let overdue: Timestamp?
    let assets: [(id: AssetID, name: String)]
    let nodes: [(id: NodeID, name: String)]
    let organizationName: String

    var object: AuditObject { AuditObject(task) }

    func write(to writer: inout JSONWriter<[UInt8]>) {
        writer.object { writer in
            writer.field("id", task.id)
            writer.field("name", task.name)
            writer.choice("type", value: task.kind.rawValue, label: task.kind.label)
            writer.field("accounts", task.order.accounts)
            writer.array("assets") { list in for asset in assets { list.object { Self.write(asset.id, asset.name, &$0) } } }
            writer.array("nodes") { list in for node in nodes { list.object { Self.write(node.id, node.name, &$0) } } }
            writer.field("worker", task.order.worker)
            if task.kind.changesTarget { writeChange(to: &writer) }
            if task.kind.setsSecret { writeSecretKind(to: &writer) }
            writeTiming(to: &writer)
            writer.field("recipients", task.recipients)
            writer.field("is_active", task.isActive)
            writer.field("date_created", task.dateCreated)
            writer.field("date_updated", task.dateUpdated)
            writer.field("comment", task.comment)
            writer.field("created_by", task.createdBy)
            writer.field("updated_by", task.updatedBy)
            writer.field("org_id", task.organization)
            writer.field("org_name", organizationName)
        }
    }

    private static func write<Entity>(_ id: Identifier<Entity>, _ name: String, _ writer: inout JSONWriter<[UInt8]>) {
        writer.field("id", id)
        writer.field("name", name)
    }

    private func writeChange(to writer: inout JSONWriter<[UInt8]>) {
        writer.key("params")
        task.order.parameters.write(to: &writer)
        writer.field("include_privileged", task.order.includesPrivileged)
        writer.field("include_system", task.order.includesSystem)
        if task.kind == .pushAccount {
            writer.choice("on_existing", value: task.order.existing.rawValue, label: task.order.existing.label)
        }
    }

    private func writeSecretKind(to writer: inout JSONWriter<[UInt8]>) {
        let order = task.order
        writer.choice("secret_type", value: order.secretType.rawValue, label: order.secretType.label)
        writer.choice("secret_strategy", value: order.strategy.rawValue, label: order.strategy.label)
        writer.field("has_secret", task.secret != nil)
        writer.key("password_rules")
        // Read again, so that an answer is JSON whatever stands in the database.
        if let rules = PasswordRules(text: order.passwordRules) { rules.write(to: &writer) } else { writer.null() }
        writer.choice("ssh_key_change_strategy", value: order.keyStrategy.rawValue, label: order.keyStrategy.label)
        writer.field("check_conn_after_change", order.checksConnection)
    }

    private func writeTiming(to writer: inout JSONWriter<[UInt8]>) {
        let timing = task.timing
        writer.field("is_periodic", timing.isPeriodic)
        writer.field("crontab", timing.crontab)
        // The crontab wins: beside it the interval says nothing.
        writer.field("interval", timing.crontab.isEmpty && timing.interval > 0 ? timing.interval : nil)
        writer.field("timezone", timing.zone)
        writer.field("start_time", timing.start)
        writer.choice("on_missed", value: timing.missed.rawValue, label: timing.missed.label)
        writer.field("jitter", timing.jitter)
        writer.field("date_next_run", state?.begins)
        writer.field("date_last_run", state?.lastRun)
        writer.field("last_execution", state?.lastExecution)
        writer.field("is_overdue", overdue != nil)
        writer.field("date_overdue", overdue)
    }
}

extension TaskSchedule.Missed {
    var label: String { self == .catchUp ? "Run once as soon as possible" : "Skip" }
}

extension AuditObject {
    init(_ task: AutomationTask) { self.init(kind: "automation", id: task.id.description, name: task.name) }
}

/// Makes tasks ready to be shown within one transaction; names are read once.
struct AutomationTaskViews {
    private let transaction: Transaction
    private let organization: OrganizationID
    private let organizationName: String
    private let agenda: Agenda
    private var assets: [AssetID: String] = [:]
    private var paths: NodePaths

    init(in organization: OrganizationID, _ agenda: Agenda, _ transaction: Transaction) throws {
        self.transaction = transaction
        self.organization = organization
        self.agenda = agenda
        organizationName = try transaction.organizationName(organization)
        paths = NodePaths(in: organization, transaction)
    }

    mutating func views(_ tasks: [AutomationTask]) throws -> [AutomationTaskView] {
        let states = Dictionary(
            try TaskStates.all(of: tasks.map(\.id), in: organization, on: transaction.db).map { ($0.task, $0) }
        ) { $1 }
        return try tasks.map { try view($0, states[$0.id]) }
    }

    mutating func view(_ task: AutomationTask) throws -> AutomationTaskView {
        try view(task, TaskStates.get(task.id, in: organization, on: transaction.db))
    }

    private mutating func view(_ task: AutomationTask, _ state: TaskState?) throws -> AutomationTaskView {
        var shown: [(id: AssetID, name: String)] = []
        for id in task.order.assets {
            if let name = try name(of: id) { shown.append((id, name)) }
        }
        var nodes: [(id: NodeID, name: String)] = []
        for id in task.order.nodes {
            if let name = try paths.name(of: id) { nodes.append((id, name)) }
        }
        return AutomationTaskView(
            task: task, state: state, overdue: agenda.overdue(task, lastRun: state?.lastRun, at: transaction.now), assets: shown,
            nodes: nodes, organizationName: organizationName)
    }

    /// Nil for an asset that is gone since; empty for one whose row is damaged.
    private mutating func name(of id: AssetID) throws -> String? {
        if let known = assets[id] { return known }
        var name: String?
        do {
            name = try Assets.get(id, in: organization, on: transaction.db).map { try transaction.keys.verified($0).name }
        } catch StorageFault.corrupt {
            name = ""
        } catch Refusal.integrity {
            name = ""
        }
        assets[id] = name
        return name
    }
}
