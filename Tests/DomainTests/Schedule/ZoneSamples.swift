import Domain
import Foundation
import Testing

/// Zones of the system's database, which every machine has that runs these tests.
enum ZoneSamples {
    static let path = "/usr/share/zoneinfo/"

    /// Half-hour shifts, both hemispheres, rules that begin at night and by day, zones without summer time, and one that goes back in winter.
    static let names = [
        "Europe/Berlin", "America/New_York", "America/St_Johns", "Australia/Lord_Howe", "Australia/Sydney", "Asia/Shanghai",
        "Asia/Kolkata", "Asia/Kathmandu", "America/Sao_Paulo", "America/Santiago", "Africa/Casablanca", "Europe/Dublin",
        "Pacific/Apia", "Asia/Tehran", "Atlantic/Azores", "Pacific/Chatham", "Asia/Gaza", "America/Nuuk", "Antarctica/Troll",
        "UTC",
    ]

    static func rules(_ name: String) throws -> ZoneRules {
        try ZoneRules(file: Array(Data(contentsOf: URL(filePath: path + name))))
    }
}
