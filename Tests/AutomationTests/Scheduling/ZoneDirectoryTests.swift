import Automation
import Domain
import Foundation
import TestSupport
import Testing

@Suite("Directory of time zones")
struct ZoneDirectoryTests {
    @Test("a zone is found by its name, and UTC without any file")
    func found() throws {
        let zones = ZoneDirectory()
        let berlin = try #require(ZoneName("Europe/Berlin"))
        #expect(zones.rules(of: berlin)?.offset(at: 1_800_000_000) == 3600)
        #expect(zones.rules(of: berlin) == zones.rules(of: berlin))
        #expect(ZoneDirectory(path: "/nonexistent").rules(of: .utc) == .utc)
        for missing in ["Europe/Atlantis", "Europe"] {
            #expect(zones.rules(of: try #require(ZoneName(missing))) == nil)
        }
    }

    @Test("a file that was replaced is read again")
    func replaced() throws {
        let directory = try TemporaryDirectory()
        let (path, name) = (directory.path + "/Here", try #require(ZoneName("Here")))
        let zones = ZoneDirectory(path: directory.path)
        try FileManager.default.copyItem(atPath: "/usr/share/zoneinfo/Europe/Berlin", toPath: path)
        #expect(zones.rules(of: name)?.offset(at: 1_800_000_000) == 3600)
        try FileManager.default.removeItem(atPath: path)
        #expect(zones.rules(of: name) == nil)
        try FileManager.default.copyItem(atPath: "/usr/share/zoneinfo/Asia/Kolkata", toPath: path)
        #expect(zones.rules(of: name)?.offset(at: 1_800_000_000) == 19_800)
    }
}
