/// A kind of system: what protocols it speaks and how it is handled. The list is built in.
package struct Platform: Sendable, Hashable {
    /// Small integers, as JumpServer has them.
    package struct ID: RawRepresentable, Hashable, Sendable, Comparable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }
        package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
        /// SSH hosts that lead into their zone.
        package static let gateway = Self(rawValue: 10)
    }

    package enum Category: String, Sendable, CaseIterable {
        case host, device, database, cloud, web, ds, custom
    }

    package let id: ID
    package let name: String
    package let category: Category
    package let type: String
    /// Protocols that an asset of this platform gets unless it names its own; the first is the primary one.
    package let protocols: [AssetProtocol]
    /// How one account becomes another there; nil where it cannot.
    package let suMethod: String?
}

extension Platform {
    /// Every platform, by id.
    package static let all: [Platform] = [
        make(1, "Linux", .host, "linux", ["ssh", "sftp"], su: "sudo"),
        make(2, "Unix", .host, "unix", ["ssh", "sftp"], su: "sudo"),
        make(3, "macOS", .host, "unix", ["ssh", "sftp"], su: "sudo"),
        make(4, "BSD", .host, "unix", ["ssh", "sftp"], su: "sudo"),
        make(5, "Windows", .host, "windows", ["rdp", "winrm"]),
        make(6, "Windows-TLS", .host, "windows", ["rdp", "winrm"]),
        make(7, "Windows-RDP", .host, "windows", ["rdp", "winrm"]),
        make(8, "RemoteAppHost", .host, "windows", ["rdp", "ssh"]),
        make(9, "AIX", .host, "unix", ["ssh", "sftp"], su: "sudo"),
        make(10, "Gateway", .host, "linux", ["ssh"], su: "sudo"),
        make(11, "General", .device, "general", ["ssh", "telnet"], su: "enable"),
        make(12, "Cisco", .device, "general", ["ssh", "telnet"], su: "enable"),
        make(13, "Huawei", .device, "general", ["ssh", "telnet"], su: "super"),
        make(14, "H3C", .device, "general", ["ssh", "telnet"], su: "super_level"),
        make(15, "Vmware-vSphere", .cloud, "private", ["http"]),
        make(16, "Kubernetes", .cloud, "k8s", ["k8s"]),
        make(17, "MySQL", .database, "mysql", ["mysql"]),
        make(18, "MariaDB", .database, "mariadb", ["mariadb"]),
        make(19, "PostgreSQL", .database, "postgresql", ["postgresql"]),
        make(20, "Oracle", .database, "oracle", ["oracle"]),
        make(21, "SQLServer", .database, "sqlserver", ["sqlserver"]),
        make(22, "MongoDB", .database, "mongodb", ["mongodb"]),
        make(23, "Redis", .database, "redis", ["redis"]),
        make(24, "Redis6+", .database, "redis", ["redis"]),
        make(25, "DB2", .database, "db2", ["db2"]),
        make(26, "Dameng", .database, "dameng", ["dameng"]),
        make(27, "ClickHouse", .database, "clickhouse", ["clickhouse"]),
        make(28, "Website", .web, "website", ["http"]),
        make(29, "Windows Active Directory", .ds, "windows_ad", ["rdp", "winrm"]),
        make(30, "Other", .host, "other", ["ssh", "telnet", "rdp", "vnc"]),
    ]

    /// The platform of an id; nil if there is none.
    package static func named(_ id: ID) -> Platform? {
        id.rawValue >= 1 && id.rawValue <= all.count ? all[id.rawValue - 1] : nil
    }

    /// The platform of a name, as clients may write it; nil if there is none.
    package static func named(_ name: String) -> Platform? { all.first { $0.name == name } }

    /// The port that a protocol has unless said otherwise.
    package static let defaultPorts: [String: Int] = [
        "ssh": 22, "sftp": 22, "rdp": 3389, "vnc": 5900, "telnet": 23, "winrm": 5985, "mysql": 3306, "mariadb": 3306,
        "postgresql": 5432, "oracle": 1521, "sqlserver": 1433, "db2": 5000, "dameng": 5236, "clickhouse": 9000, "mongodb": 27017,
        "redis": 6379, "k8s": 443, "http": 80, "https": 443,
    ]

    private static func make(
        _ id: Int, _ name: String, _ category: Category, _ type: String, _ protocols: [String], su: String? = nil
    ) -> Platform {
        Platform(
            id: ID(rawValue: id), name: name, category: category, type: type,
            protocols: protocols.map { AssetProtocol(name: $0, port: defaultPorts[$0] ?? 0) }, suMethod: su)
    }
}
