import TestSupport

extension CrashSite {
    /// Fills the disk while changes stand behind a step, lets them run into it, and makes room again; the ids of the accounts of which the
    /// server says that the state of their change could not be stored.
    ///
    /// - Parameters:
    ///   - isKilled: Whether the server is killed before there is room, and started after; else it goes on by itself.
    ///   - come: Has the changes come to the step and kept there; the ids of the accounts whose changes do.
    func strand(
        on disk: SmallDisk, behind step: String, isKilled: Bool, _ come: () async throws -> Set<String>
    ) async throws -> Set<String> {
        try await server.stop()
        try disk.shorten("data/keyturn.db")
        try await server.start()
        let reader = try await disk.reader(of: "data/keyturn.db")
        let length = server.log.utf8.count
        let standing = try await come()
        try disk.fill()
        letGo(step)
        let stranded = try await stranded(standing, after: length)
        reader.closeInput()
        _ = try await reader.wait()
        if isKilled { try await server.kill() }
        disk.empty()
        if isKilled { try await server.start() }
        return stranded
    }

    /// Those of these of whom it says so since its log was so long.
    private func stranded(_ accounts: Set<String>, after length: Int) async throws -> Set<String> {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let said = String(decoding: Array(server.log.utf8.dropFirst(length)), as: UTF8.self).split(separator: "\n")
                .filter { $0.contains("a turn's state could not be stored") }
            let stranded = accounts.filter { id in said.contains { $0.contains(id) } }
            if stranded == accounts || ContinuousClock.now > deadline { return stranded }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
