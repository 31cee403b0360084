/// Work that an administrator has defined: what is done to which accounts, and when.
package struct AutomationTask: Sendable, Hashable {
    package let id: AutomationTaskID
    package let organization: OrganizationID
    package var name: String
    package var order: TaskOrder
    /// The password, or the private key without its passphrase, that the task sets, sealed; nil unless its strategy is `specific`.
    package var secret: Sealed?
    package var timing: TaskTiming
    /// Email addresses that hear of results.
    package var recipients: [String]
    package var isActive: Bool
    package var comment: String
    package var createdBy: String
    package var updatedBy: String
    package var dateCreated: Timestamp
    package var dateUpdated: Timestamp

    package var kind: TaskKind { order.kind }

    package init(
        id: AutomationTaskID, organization: OrganizationID, name: String, order: TaskOrder, secret: Sealed? = nil,
        timing: TaskTiming = TaskTiming(), recipients: [String] = [], isActive: Bool = true,
        comment: String = "", createdBy: String = "", updatedBy: String = "", dateCreated: Timestamp, dateUpdated: Timestamp
    ) {
        self.id = id
        self.organization = organization
        self.name = name
        self.order = order
        self.secret = secret
        self.timing = timing
        self.recipients = recipients
        self.isActive = isActive
        self.comment = comment
        self.createdBy = createdBy
        self.updatedBy = updatedBy
        self.dateCreated = dateCreated
        self.dateUpdated = dateUpdated
    }

    /// The fields that decide what happens to secrets, when, and who hears of it, for the row's authentication code.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(name)
        canonical.append(order.text)
        canonical.append(secret?.bytes ?? [])
        canonical.append(timing.isPeriodic)
        canonical.append(timing.crontab)
        canonical.append(timing.interval)
        canonical.append(timing.zone)
        canonical.append(timing.start)
        canonical.append(timing.missed.rawValue)
        canonical.append(timing.jitter)
        canonical.append(timing.since)
        canonical.append(recipients)
        canonical.append(isActive)
    }
}

package typealias AutomationTaskID = Identifier<AutomationTask>

/// When a task runs by itself, as it is kept: whether, and the crontab or the interval, of which the crontab wins.
package struct TaskTiming: Sendable, Hashable {
    package var isPeriodic: Bool
    /// Empty for none.
    package var crontab: String
    /// Hours between runs; used where there is no crontab.
    package var interval: Int64
    /// The zone on whose clocks the crontab is read.
    package var zone: String
    /// Nothing runs before; intervals count from here. Nil: from when the schedule was set.
    package var start: Timestamp?
    package var missed: TaskSchedule.Missed
    /// Seconds.
    package var jitter: Int64
    /// From when on the schedule holds: when it was set or switched on last.
    package var since: Timestamp

    package init(
        isPeriodic: Bool = false, crontab: String = "", interval: Int64 = 24, zone: String = ZoneName.utc.description,
        start: Timestamp? = nil, missed: TaskSchedule.Missed = .catchUp, jitter: Int64 = 0,
        since: Timestamp = Timestamp(milliseconds: 0)
    ) {
        self.isPeriodic = isPeriodic
        self.crontab = crontab
        self.interval = interval
        self.zone = zone
        self.start = start
        self.missed = missed
        self.jitter = jitter
        self.since = since
    }

    /// The rule that this stands for; nil where the task runs only when told to, or where what is stored is no rule.
    package var schedule: TaskSchedule? {
        guard isPeriodic else { return nil }
        let begin = start ?? since
        if !crontab.isEmpty {
            guard let crontab = try? Crontab(crontab) else { return nil }
            return TaskSchedule(rhythm: .crontab(crontab), start: begin, missed: missed, jitter: jitter)
        }
        guard let hours = Int(exactly: interval), TaskSchedule.intervals.contains(hours) else { return nil }
        return TaskSchedule(rhythm: .interval(hours: hours), start: begin, missed: missed, jitter: jitter)
    }
}

/// What a scheduler remembers of a task: kept apart from the task itself, since every run changes it.
package struct TaskState: Sendable, Hashable {
    package let task: AutomationTaskID
    package let organization: OrganizationID
    /// The next run's time by the schedule, and when it begins, which is that time with jitter; nil for none.
    package var planned: Timestamp?
    package var begins: Timestamp?
    /// When the last run began, by schedule or by hand.
    package var lastRun: Timestamp?
    package var lastExecution: ExecutionID?

    package init(
        task: AutomationTaskID, organization: OrganizationID, planned: Timestamp? = nil, begins: Timestamp? = nil,
        lastRun: Timestamp? = nil, lastExecution: ExecutionID? = nil
    ) {
        self.task = task
        self.organization = organization
        self.planned = planned
        self.begins = begins
        self.lastRun = lastRun
        self.lastExecution = lastExecution
    }
}
