import Foundation
import Glibc
import TestSupport
import Testing

/// The disk becomes full right before each commit of a change on real targets: the changes stand behind the step before it meanwhile.
@Suite(
    "Crash of a change by a full disk", .serialized, .timeLimit(.minutes(60)),
    .enabled(if: Mount.obstacle == nil, Comment(rawValue: Mount.obstacle ?? "")))
struct DiskCrashTests {
    private static let wanted = TurnCrashTests.hits.map { max(1, $0 / 2) } ?? 1
    private static let together = TurnCrashTests.hits == nil ? 1 : 4
    /// By the step that was made last, the commit that fails next.
    private static let commits =
        TurnCrashTests.hits == nil
        ? [("verify", "promotion")]
        : [
            ("preflight", "candidate"), ("remember", "state after the command"), ("install", "login"),
            ("verify", "promotion"), ("promote", "end"), ("retire", "end, the old secret gone"), ("doubt", "state of the doubt"),
        ]

    /// A site whose data lie on a small disk. Nothing is kept in reserve, so that a full disk is full.
    private struct Rig: Sendable {
        let directory: TemporaryDirectory
        let mount: Mount
        let site: CrashSite

        init() async throws {
            directory = try TemporaryDirectory("disk")
            let disk = directory.file("disk")
            Glibc.mkdir(disk, 0o700)
            mount = try Mount.small("64m", on: disk)
            site = try await CrashSite(Towns.built.value, settings: "disk_reserve: 0\n", data: disk + "/data")
        }

        private var filling: String { directory.file("disk/filling") }

        /// Takes all space that is left.
        func fill() throws {
            let file = open(filling, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            defer { close(file) }
            for size in [1 << 20, 4096, 1] {
                let bytes = [UInt8](repeating: 0x78, count: size)
                while write(file, bytes, size) > 0 {}
            }
            try #require(errno == ENOSPC)
        }

        func empty() { unlink(filling) }

        /// The accounts whose state could not be stored, as the server has said since its log was so long.
        func stranded(after length: Int) -> Set<Substring> {
            let lines = site.server.log.utf8.dropFirst(length)
            let told = String(decoding: Array(lines), as: UTF8.self).split(separator: "\n")
                .filter { $0.contains("a turn's state could not be stored") }
            return Set(told.flatMap { $0.matches(of: /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/).map(\.output) })
        }
    }

    private static let rig = Task { try await Rig() }

    @Test("when the disk is full at a commit of a change, all is found out once there is space", arguments: commits.indices)
    func full(number: Int) async throws {
        let (step, commit) = Self.commits[number]
        let rig = try await Self.rig.value
        let site = rig.site
        if site.server.program?.poll() != nil || site.server.program == nil { try await site.server.start() }
        try await site.logIn()
        var row = CrashTable.Row("disk full at the commit behind `\(step)` (\(commit))")
        var everybody: [CrashSite.Person] = []
        for round in 0..<(Self.wanted * 2) where row.fewest < Self.wanted {
            let people = try await site.people(Self.together)
            everybody += people
            // A start of its own: a write-ahead log that was used before would have room.
            try await site.server.restart()
            let length = site.server.log.utf8.count
            if step == "doubt" { try await Self.fall(site, people) }
            try site.hold(step)
            if step == "doubt" { try await site.server.start() } else { _ = try await site.begin(people) }
            let standing = try await site.standing(people, behind: step)
            try rig.fill()
            site.letGo(step)
            try await Task.sleep(for: .seconds(3))
            let stranded = rig.stranded(after: length)
            row.count(standing.filter { stranded.contains(Substring($0.id)) }, of: site)
            // Either it goes on by itself, or it is started again.
            if round.isMultiple(of: 2) { try await site.server.kill() }
            rig.empty()
            if round.isMultiple(of: 2) { try await site.server.start() }
            try await TurnCrashTests.check(site, people, &row, "disk full behind \(step), round \(round)")
        }
        try await TurnCrashTests.close(row, site, everybody)
        #expect(row.fewest >= Self.wanted, "\(row.hits)")
    }

    /// Leaves the changes of these people in doubt, behind a clean end of the server's log.
    private static func fall(_ site: CrashSite, _ people: [CrashSite.Person]) async throws {
        try site.hold("install")
        _ = try await site.begin(people)
        _ = try await site.standing(people, behind: "install")
        try await site.server.kill()
        site.letGo("install")
    }
}
