import Foundation
import Outbound
import TestSupport
import Testing

/// kill -9 leaves the page cache alone; what is durable only the order of system calls shows.
@Suite("Durability")
struct DurabilityTests {
    /// Nil where a program may be traced, else why not.
    private static let obstacle: String? = {
        guard let tried = try? ExternalProgram.run("strace", ["-D", "-f", "-e", "trace=none", "true"]) else {
            return "there is no strace"
        }
        return tried.status == 0 && !tried.standardError.contains("ermitted") ? nil : "programs may not be traced here"
    }()

    private static func launcher(writing file: String) -> [String] {
        [
            // As a grandchild, so that the server keeps its process id and its signals.
            "strace", "-D", "-f", "-ttt", "-y", "-s", "0", "-o", file, "-e",
            "trace=pwrite64,write,writev,fdatasync,fsync,sendto,sendmsg,recvfrom,recvmsg,read", "--",
        ]
    }

    @Test(
        "no fetch and no change is answered before what it promises is synced to the disk",
        .enabled(if: obstacle == nil, Comment(rawValue: obstacle ?? "")))
    func order() async throws {
        let scratch = try TemporaryDirectory("trace")
        let file = scratch.file("trace")
        let vault = try await SmallVault.start(launcher: Self.launcher(writing: file))
        let connections = (0..<8).map { _ in APIConnection(vault.server) }
        func fetchAll() async throws {
            try await withThrowingTaskGroup(of: [Int].self) { group in
                for connection in connections {
                    group.addTask {
                        var statuses: [Int] = []
                        for _ in 0..<10 { statuses.append(try await vault.key.fetch(over: connection).status) }
                        return statuses
                    }
                }
                for try await statuses in group { #expect(statuses.allSatisfy { $0 == 200 }) }
            }
        }
        // Handshakes are answered without the audit; they end here.
        for connection in connections { _ = try await vault.key.fetch(over: connection) }
        try await Task.sleep(for: .milliseconds(300))
        let start = Date().timeIntervalSince1970
        try await fetchAll()
        let middle = Date().timeIntervalSince1970
        for number in 0..<10 {
            let changed = try await vault.admin.call(
                .patch, "/api/v1/accounts/accounts/\(vault.account)/", #"{"secret":"secret \#(number)"}"#)
            #expect(changed.status == 200)
        }
        let end = Date().timeIntervalSince1970
        #expect(try await vault.server.stop() == .status(0))
        let text = try await Self.finished(scratch, vault)
        Self.check(text, start: start, middle: middle, end: end)
    }

    /// The tracer ends after what it traced.
    private static func finished(_ scratch: TemporaryDirectory, _ vault: SmallVault) async throws -> String {
        for _ in 0..<3000 {
            let text = String(decoding: try scratch.read("trace"), as: UTF8.self)
            if text.hasSuffix("+++ exited with 0 +++\n") { return text }
            try await Task.sleep(for: .milliseconds(20))
        }
        return String(decoding: try scratch.read("trace"), as: UTF8.self)
    }

    private static func check(_ text: String, start: Double, middle: Double, end: Double) {
        let lines = text.split(separator: "\n")
        func part(_ from: Double, _ to: Double, dropping unwanted: (Substring) -> Bool = { _ in false }) -> SystemCallTrace {
            SystemCallTrace(
                lines.filter { line in
                    let fields = line.split(separator: " ", maxSplits: 2)
                    guard fields.count == 3, let time = Double(fields[1]) else { return false }
                    return time >= from && time < to && !unwanted(line)
                }.joined(separator: "\n"))
        }
        let fetches = part(start, middle)
        #expect(fetches.exchanges(after: 0).count >= 80, "the trace misses answers")
        #expect(fetches.broken(.entry, after: 0).isEmpty)
        let changes = part(middle, end)
        #expect(changes.exchanges(after: 0).count >= 10, "the trace misses answers")
        #expect(changes.broken(.change, after: 0).isEmpty)
        // The same traces, had the server not synced.
        let isSync = { (line: Substring) in line.contains("fdatasync") || line.contains("fsync") }
        #expect(part(start, middle, dropping: isSync).broken(.entry, after: 0).count >= 80)
        let isSyncOfData = { (line: Substring) in isSync(line) && !line.contains("audit.db") }
        #expect(part(middle, end, dropping: isSyncOfData).broken(.change, after: 0).count >= 10)
    }
}
