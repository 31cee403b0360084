import Foundation
import Glibc
import Outbound
import TestSupport
import Testing

/// What is left of secrets in the memory of the running server. Its memory belongs to root, so only root can look.
@Suite(
    "Memory of the running server",
    .enabled(if: geteuid() == 0, "the process is not dumpable: only root reads its memory"))
struct ProcessMemoryTests {
    @Test("a secret that was fetched, and one that was shown to an administrator, are nowhere in it once they were sent")
    func sent() async throws {
        let vault = try await SmallVault.start()
        // A process that never got the secret from a client: what comes in is not promised to leave no trace.
        try await vault.server.kill()
        try await vault.server.start()
        let secret = Array(SmallVault.secret.utf8)
        let connection = APIConnection(vault.server)
        for _ in 0..<20 { #expect(try await vault.key.fetch(over: connection).string("secret") == SmallVault.secret) }
        #expect(try await Self.comesTo(0, copiesOf: secret, in: vault.server))

        let admin = Administrator(vault.admin, at: vault.server)
        try await admin.confirm(vault.server)
        let shown = try await admin.call(.get, "/api/v1/accounts/account-secrets/\(vault.account)/")
        #expect(shown.string("secret") == SmallVault.secret)
        #expect(try await Self.comesTo(0, copiesOf: secret, in: vault.server))
        #expect(try Self.copies(of: Array("billing".utf8), in: vault.server) > 0, "the search finds what is there")
    }

    /// Waits for a number of copies; a pass that is still at it may hold one.
    private static func comesTo(_ wanted: Int, copiesOf text: [UInt8], in server: ServerProcess) async throws -> Bool {
        for _ in 0..<600 {
            if try copies(of: text, in: server) == wanted { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }

    private static func copies(of text: [UInt8], in server: ServerProcess) throws -> Int {
        let process = "/proc/\(server.program?.pid ?? 0)"
        let memory = open(process + "/mem", O_RDONLY)
        guard memory >= 0 else { throw ProgramFault.unexpected("\(process)/mem cannot be read", output: "\(errno)") }
        defer { close(memory) }
        var found = 0
        for line in try String(contentsOfFile: process + "/maps", encoding: .utf8).split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            let range = fields[0].split(separator: "-").compactMap { UInt(String($0), radix: 16) }
            guard range.count == 2, fields[1].hasPrefix("r"), !line.contains("[v") else { continue }
            found += occurrences(of: text, from: range[0], to: range[1], of: memory)
        }
        return found
    }

    /// Occurrences in a range of the memory; what lies across two pieces is found in the second.
    private static func occurrences(of text: [UInt8], from start: UInt, to end: UInt, of memory: Int32) -> Int {
        var found = 0
        var place = start
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        while place < end {
            let wanted = min(piece.count, Int(end - place))
            let count = pread(memory, &piece, wanted, off_t(place))
            guard count >= text.count else { return found }
            let bytes = Data(piece[..<count])
            var from = bytes.startIndex
            while let hit = bytes.range(of: Data(text), in: from..<bytes.endIndex) {
                found += 1
                from = hit.upperBound
            }
            guard place + UInt(count) < end else { return found }
            place += UInt(count - text.count + 1)
        }
        return found
    }
}
