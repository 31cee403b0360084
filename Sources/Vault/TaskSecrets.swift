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

    /// Seals the secret of a task, in the transaction that stores the task.
    package func sealed(
        _ secret: borrowing Secret, of task: AutomationTaskID, by warrant: Warrant, now: Timestamp, in db: any SQLConnection
    ) throws -> Sealed {
        let organization = warrant.organization
        guard warrant.permits(.createAutomation, in: organization) || warrant.permits(.changeAutomation, in: organization) else {
            throw Refusal.forbidden(.changeAutomation)
        }
        let place = Place.taskSecret(task, in: organization)
        return try keyring.seal(secret, at: place, with: SealingWorkspace(), now: now, in: db)
    }

    /// A task's secret in plaintext, for the run that sets it; nil where the task has none. The task's row has been verified.
    package func reveal(of task: AutomationTask, by warrant: Warrant) throws -> SecretHandoff? {
        guard warrant.permits(.rotateAccount, in: task.organization) || warrant.permits(.pushAccount, in: task.organization)
        else {
            throw Refusal.forbidden(.rotateAccount)
        }
        guard let sealed = task.secret else { return nil }
        return SecretHandoff(try opened(sealed, of: task))
    }

    /// The same secret for another task, without anybody seeing it: for a copy of a task.
    package func copied(
        from task: AutomationTask, to other: AutomationTaskID, by warrant: Warrant, now: Timestamp, in db: any SQLConnection
    ) throws -> Sealed? {
        guard warrant.permits(.createAutomation, in: task.organization) else { throw Refusal.forbidden(.createAutomation) }
        guard let sealed = task.secret else { return nil }
        let secret = try opened(sealed, of: task)
        let place = Place.taskSecret(other, in: task.organization)
        return try keyring.seal(secret, at: place, with: SealingWorkspace(), now: now, in: db)
    }

    private func opened(_ sealed: Sealed, of task: AutomationTask) throws -> Secret {
        do {
            return try keyring.keys().open(sealed, at: .taskSecret(task.id, in: task.organization), with: SealingWorkspace())
        } catch let fault as SealingFault {
            throw fault == .sealed ? Refusal.sealed : Refusal.integrity("\(fault)")
        }
    }
}
