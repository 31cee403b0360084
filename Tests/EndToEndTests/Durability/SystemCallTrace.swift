import Foundation

/// What `strace -f -ttt -y` wrote of a server: which files were written and made durable, and which sockets read and written, when.
///
/// The file system holds what is written from the completion of `fdatasync` or `fsync` on; a kill proves nothing about that,
/// since the page cache outlives a process.
struct SystemCallTrace {
    struct Call {
        enum Kind { case write, sync, receive, send }

        let kind: Kind
        /// As `-y` shows it: a path, or `TCP:[…]` or `socket:[…]`.
        let file: String
        let begin: Double
        let end: Double
    }

    private(set) var calls: [Call] = []

    /// Names of system calls, and what they do to a file and to a socket.
    private static let kinds: [String: (file: Call.Kind?, socket: Call.Kind?)] = [
        "pwrite64": (.write, nil), "write": (.write, .send), "writev": (.write, .send), "fdatasync": (.sync, nil),
        "fsync": (.sync, nil), "sendto": (nil, .send), "sendmsg": (nil, .send), "recvfrom": (nil, .receive),
        "recvmsg": (nil, .receive), "read": (nil, .receive),
    ]

    init(_ text: String) {
        // By thread: a call that another thread's interrupts in the trace.
        var open: [Substring: (name: Substring, file: String, begin: Double)] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
            guard parts.count == 3, let time = Double(parts[1]) else { continue }
            let (thread, rest) = (parts[0], parts[2])
            if rest.hasPrefix("<... ") {
                guard let begun = open.removeValue(forKey: thread) else { continue }
                add(begun.name, begun.file, begun.begin, time, rest)
            } else if let parenthesis = rest.firstIndex(of: "(") {
                let name = rest[..<parenthesis]
                guard let file = Self.file(rest) else { continue }
                if rest.hasSuffix("<unfinished ...>") {
                    open[thread] = (name, file, time)
                } else {
                    add(name, file, time, time, rest)
                }
            }
        }
    }

    private mutating func add(_ name: Substring, _ file: String, _ begin: Double, _ end: Double, _ line: Substring) {
        guard let kinds = Self.kinds[String(name)], Self.succeeded(line) else { return }
        let isSocket = file.hasPrefix("TCP") || file.hasPrefix("socket:")
        guard let kind = isSocket ? kinds.socket : kinds.file else { return }
        calls.append(Call(kind: kind, file: file, begin: begin, end: end))
    }

    /// `pwrite64(7</path>, …` names the file between the brackets.
    private static func file(_ line: Substring) -> String? {
        guard let start = line.firstIndex(of: "<"), let parenthesis = line.firstIndex(of: "("),
            line[line.index(after: parenthesis)..<start].allSatisfy({ $0.isNumber }),
            let end = line[start...].range(of: ">,")?.lowerBound ?? line[start...].range(of: ">)")?.lowerBound
                ?? line[start...].range(of: "> ")?.lowerBound
        else { return nil }
        return String(line[line.index(after: start)..<end])
    }

    private static func succeeded(_ line: Substring) -> Bool {
        guard let equals = line.range(of: " = ", options: .backwards) else { return false }
        let result = line[equals.upperBound...].prefix { $0.isNumber || $0 == "-" }
        return Int(result).map { $0 >= 0 } ?? false
    }
}

// MARK: - What must hold

extension SystemCallTrace {
    /// What must have happened between a request's arrival and its answer, in this order: written and made durable, file by file.
    enum Promise {
        /// The entry of the decision.
        case entry
        /// The announcement, the change, and its outcome.
        case change

        var files: [String] {
            switch self {
            case .entry: ["audit.db-wal"]
            case .change: ["audit.db-wal", "keyturn.db-wal", "audit.db-wal"]
            }
        }
    }

    /// The exchanges on all sockets that began after a moment.
    func exchanges(after start: Double) -> [(socket: String, received: Double, answered: Double)] {
        var received: [String: Double] = [:]
        var exchanges: [(socket: String, received: Double, answered: Double)] = []
        for call in calls.sorted(by: { $0.begin < $1.begin }) where call.begin >= start {
            switch call.kind {
            case .receive: received[call.file] = call.end
            case .send:
                // What is sent in several pieces is one answer.
                guard let time = received.removeValue(forKey: call.file) else { continue }
                exchanges.append((call.file, time, call.begin))
            case .write, .sync: continue
            }
        }
        return exchanges
    }

    /// Exchanges that were answered before what they promise was durable.
    func broken(_ promise: Promise, after start: Double) -> [(socket: String, received: Double, answered: Double)] {
        let ordered = calls.sorted { $0.begin < $1.begin }
        return exchanges(after: start).filter { exchange in
            var time = exchange.received
            for file in promise.files {
                guard let written = ordered.first(where: { $0.kind == .write && $0.begin >= time && $0.file.hasSuffix(file) }),
                    let synced = ordered.first(where: {
                        $0.kind == .sync && $0.begin >= written.end && $0.file.hasSuffix(file)
                    })
                else { return true }
                time = synced.end
            }
            return time > exchange.answered
        }
    }
}
