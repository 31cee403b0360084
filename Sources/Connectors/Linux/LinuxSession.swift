internal import Cryptography
package import Domain
internal import SSH
internal import Synchronization

/// A worker's login at a Linux host, with root's power.
package final class LinuxSession: WorkSession {
    let shell: LinuxShell
    let target: Target
    package let workerName: String
    let workerID: Int64
    /// What the last look found, for the step that comes right after it.
    private let found = Mutex<LinuxEntry?>(nil)

    init(shell: LinuxShell, target: Target, workerName: String, workerID: Int64) {
        self.shell = shell
        self.target = target
        self.workerName = workerName
        self.workerID = workerID
    }

    package var system: TargetIdentity.System { .sshHostKey(shell.session.hostKey) }
    package var hostKey: String? { shell.session.hostKey }

    package func close() { shell.session.close() }

    package func find(_ username: String) throws(ConnectorFault) -> RemoteAccount? {
        guard let name = LinuxName(username) else { return nil }
        let entry = try entry(name)
        found.withLock { $0 = entry }
        return entry?.account
    }

    func entry(_ name: LinuxName) throws(ConnectorFault) -> LinuxEntry? {
        let answer = try shell.run(LinuxEntry.script(for: name.word))
        return try LinuxEntry.parse(answer, name: name.text)
    }

    /// The account that a request is about, as it was found just now; asked for again if it was looked at once already.
    func found(_ username: String) throws(ConnectorFault) -> (name: LinuxName, entry: LinuxEntry) {
        let entry = found.withLock { found in
            defer { found = nil }
            return found
        }
        guard let entry, entry.name == username, let name = LinuxName(username) else { return try existing(username) }
        return (name, entry)
    }

    /// The account that a request is about.
    func existing(_ username: String) throws(ConnectorFault) -> (name: LinuxName, entry: LinuxEntry) {
        guard let name = LinuxName(username), let entry = try entry(name) else {
            throw ConnectorFault(.noSuchAccount, effect: .none)
        }
        return (name, entry)
    }
}
