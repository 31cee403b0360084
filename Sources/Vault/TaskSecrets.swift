package import Access
package import Cryptography
package import Domain
package import Sealing
package import Storage

/// The secrets that tasks carry: sealed when a task is defined, opened when it runs, against a warrant of the gate.
package struct TaskSecrets: Sendable {
    private let keyring: Keyring

    package init(keyring: Keyring) {
        self.keyring = keyring
    }

    /// Which of a task's secrets.
    package enum Part: Sendable { case secret, passphrase }

    package func sealed(
        _ secret: borrowing Secret, _ part: Part, of task: AutomationTaskID, by warrant: Warrant, now: Timestamp,
        in db: any SQLConnection
    ) throws -> Sealed {
        let organization = warrant.organization
        guard warrant.permits(.createAutomation, in: organization) || warrant.permits(.changeAutomation, in: organization) else {
            throw Refusal.forbidden(.changeAutomation)
        }
        return try keyring.seal(secret, at: Self.place(part, task, organization), with: SealingWorkspace(), now: now, in: db)
    }

    /// A task's secret in plaintext, for the run that sets it; nil where the task has none. The task's row has been verified.
    package func reveal(_ part: Part, of task: AutomationTask, by warrant: Warrant) throws -> SecretHandoff? {
        guard warrant.permits(.runAutomation, in: task.organization) else { throw Refusal.forbidden(.runAutomation) }
        guard let sealed = part == .secret ? task.secret : task.passphrase else { return nil }
        do {
            let place = Self.place(part, task.id, task.organization)
            return SecretHandoff(try keyring.keys().open(sealed, at: place, with: SealingWorkspace()))
        } catch let fault as SealingFault {
            throw fault == .sealed ? Refusal.sealed : Refusal.integrity("\(fault)")
        }
    }

    /// The same secret for another task, without anybody seeing it: for a copy of a task.
    package func copied(
        _ part: Part, of task: AutomationTask, to other: AutomationTaskID, by warrant: Warrant, now: Timestamp,
        in db: any SQLConnection
    ) throws -> Sealed? {
        guard warrant.permits(.createAutomation, in: task.organization) else { throw Refusal.forbidden(.createAutomation) }
        guard let sealed = part == .secret ? task.secret : task.passphrase else { return nil }
        let workspace = try SealingWorkspace()
        do {
            let secret = try keyring.keys().open(sealed, at: Self.place(part, task.id, task.organization), with: workspace)
            return try keyring.seal(secret, at: Self.place(part, other, task.organization), with: workspace, now: now, in: db)
        } catch let fault as SealingFault {
            throw fault == .sealed ? Refusal.sealed : Refusal.integrity("\(fault)")
        }
    }

    private static func place(_ part: Part, _ task: AutomationTaskID, _ organization: OrganizationID) -> Place {
        switch part {
        case .secret: .taskSecret(task, in: organization)
        case .passphrase: .taskPassphrase(task, in: organization)
        }
    }
}
