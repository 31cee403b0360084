internal import CProcessShim
internal import Domain
internal import Glibc
internal import Storage

extension Doctor {
    /// Whether the clock can be right: signatures are good for seconds only.
    func clock() -> [Finding] {
        let (subject, remedy) = ("clock", "set the clock and keep it right with NTP")
        let now = Timestamp.now
        // Before this program was written.
        if now < Timestamp(seconds: 1_760_000_000) { return [.wrong(subject, "it is years behind", remedy: remedy)] }
        if let last = try? withAudit({ try $0.readSync { try AuditEntries.last($0)?.columns.time } }),
            now.adding(seconds: 60) < last
        {
            return [.wrong(subject, "it is behind the last entry of the audit", remedy: remedy)]
        }
        switch kprocess_is_clock_synchronized() {
        case 1: return [.fine(subject, "plausible, and the kernel says that it is kept right")]
        case 0:
            return [
                .warning(
                    subject, "plausible; the kernel knows of nothing that keeps it right (in a container, ask the host)",
                    remedy: "run an NTP client")
            ]
        default: return [.fine(subject, "plausible; whether NTP keeps it right cannot be told from here")]
        }
    }

    /// Whether there is room for what is going to be written.
    func disk() -> [Finding] {
        let subject = "disk"
        guard let directory = try? DataDirectory.inspect(data) else { return [] }
        if access(data, W_OK) != 0 {
            let reason = String(cString: strerror(errno))
            return [
                .wrong(
                    subject, "\(data) cannot be written: \(reason)", remedy: "see why (dmesg, mount), and mount it for writing")
            ]
        }
        let free = directory.freeBytes
        let text = "\(free >> 20) MiB free in \(data)"
        if free < 64 << 20 { return [.wrong(subject, text, remedy: "make room, or move the data directory")] }
        if free < 1 << 30 { return [.warning(subject, text, remedy: "make room")] }
        return [.fine(subject, text)]
    }
}
