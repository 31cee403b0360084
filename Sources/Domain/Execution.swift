/// One run of a task, or of an order that somebody gave for single accounts.
package struct Execution: Sendable, Hashable {
    package let id: ExecutionID
    package let organization: OrganizationID
    /// The task that it runs; nil for an order without one. The task may be gone since.
    package let task: AutomationTaskID?
    /// The task's name at that time.
    package let taskName: String
    package let trigger: Trigger
    package let author: Author
    /// A copy of what was asked for.
    package let order: TaskOrder
    package let dateCreated: Timestamp
    package var status: Status
    package var dateStart: Timestamp?
    package var dateFinished: Timestamp?
    package var progress: Progress
    /// Why it ended as it did, where the records do not tell: a short text without secrets.
    package var reason: String

    package var kind: TaskKind { order.kind }

    package init(
        id: ExecutionID, organization: OrganizationID, task: AutomationTaskID?, taskName: String, trigger: Trigger,
        author: Author, order: TaskOrder, dateCreated: Timestamp, status: Status = .pending, dateStart: Timestamp? = nil,
        dateFinished: Timestamp? = nil, progress: Progress = Progress(), reason: String = ""
    ) {
        self.id = id
        self.organization = organization
        self.task = task
        self.taskName = taskName
        self.trigger = trigger
        self.author = author
        self.order = order
        self.dateCreated = dateCreated
        self.status = status
        self.dateStart = dateStart
        self.dateFinished = dateFinished
        self.progress = progress
        self.reason = reason
    }

    /// JumpServer's words.
    package enum Status: String, Sendable, CaseIterable {
        case pending, running, success, failed, error, canceled

        package var isOpen: Bool { self == .pending || self == .running }
        package var label: String { rawValue.prefix(1).uppercased() + rawValue.dropFirst() }
    }

    /// JumpServer's words.
    package enum Trigger: String, Sendable, CaseIterable {
        case manual, timing

        package var label: String { self == .manual ? "Manual trigger" : "Timing trigger" }
    }

    /// Who has it run.
    package struct Author: Sendable, Hashable {
        /// Nil for the server itself.
        package let user: UserID?
        package let name: String

        package init(user: UserID?, name: String) {
            self.user = user
            self.name = name
        }

        package init(_ actor: Actor) {
            if case .user(let id, let name) = actor {
                self.init(user: id, name: name)
            } else {
                self.init(user: nil, name: actor.name)
            }
        }

        package var actor: Actor { user.map { .user($0, name: name) } ?? .system(name) }
    }

    /// How many accounts it is about, and how many are done.
    package struct Progress: Sendable, Hashable {
        package var total: Int64
        package var done: Int64

        package init(total: Int64 = 0, done: Int64 = 0) {
            self.total = total
            self.done = done
        }
    }

    /// The fields that decide what is done in whose name, for the row's authentication code. The status is among them: an execution
    /// that is over never becomes one that is still to be run.
    package func authenticate(into canonical: inout CanonicalBytes) {
        canonical.append(task)
        canonical.append(taskName)
        canonical.append(trigger.rawValue)
        canonical.append(author.user)
        canonical.append(author.name)
        canonical.append(order.text)
        canonical.append(dateCreated)
        canonical.append(status.rawValue)
    }
}

package typealias ExecutionID = Identifier<Execution>
