// swift-tools-version: 6.2
import PackageDescription

// Keyturn's architecture on one page: a line a capability, bottom-up. What a target may know is what it lists.

// MARK: - Settings that every target shares

/// Swift 6 mode comes with the tools version; these are the stricter features on top of it.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")

/// A C library of the system, seen through `Sources/<name>/shim.h`.
func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// One capability: a folder in Sources and its mirror in Tests.
func capability(
    _ name: String, _ dependencies: [Target.Dependency], testing: [Target.Dependency] = []
) -> [Target] {
    [
        .target(name: name, dependencies: dependencies, swiftSettings: strict),
        .testTarget(
            name: name + "Tests",
            dependencies: [.target(name: name), "TestSupport"] + dependencies + testing,
            swiftSettings: strict),
    ]
}

// MARK: - Capabilities, bottom-up

var targets: [Target] = [
    // C libraries, each with one owner among the targets below.
    system("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
    system("CCrypt", pkgConfig: "libxcrypt", apt: "libcrypt-dev"),
    system("CMicrohttpd", pkgConfig: "libmicrohttpd", apt: "libmicrohttpd-dev"),
    system("CSQLite", pkgConfig: "sqlite3", apt: "libsqlite3-dev"),
    system("CCurl", pkgConfig: "libcurl", apt: "libcurl4-openssl-dev"),
    system("CPostgres", pkgConfig: "libpq", apt: "libpq-dev"),
    system("CSSH", pkgConfig: "libssh2", apt: "libssh2-1-dev"),
    system("CSSL", pkgConfig: "libssl", apt: "libssl-dev"),
    // What Swift cannot call (variadic functions, callbacks of GnuTLS), as plain C functions.
    .target(name: "CHTTPShim", dependencies: ["CMicrohttpd"], linkerSettings: [.linkedLibrary("gnutls")]),
    .target(name: "CCurlShim", dependencies: ["CCurl"]),
    .target(name: "CSSHShim", dependencies: ["CSSH"]),
    .target(name: "CProcessShim"),
    .target(name: "CPostgresShim"),
]

targets += capability("JSON", [])
targets += capability("Threads", [])
targets += capability("Domain", ["JSON"])
targets += capability("Cryptography", ["CCrypto", "CCrypt"])
targets += capability("HTTPServer", ["CMicrohttpd", "CHTTPShim", logging], testing: ["Outbound"])
targets += capability("Outbound", ["Threads", "CCurl", "CCurlShim"])
targets += capability("SSH", ["Cryptography", "Threads", "CSSH", "CSSHShim"])
targets += capability("Storage", ["Domain", "CSQLite"])
targets += capability("Sealing", ["Domain", "Cryptography", "Storage"])
targets += capability("Audit", ["Domain", "Cryptography", "JSON", "Storage", logging])
targets += capability("Access", ["Domain", "Cryptography", "JSON", "Storage", "Sealing", "Audit"])
targets += capability("Vault", ["Domain", "Cryptography", "JSON", "Storage", "Sealing", "Access", "Audit"])
targets += capability(
    "Notifications", ["Domain", "Cryptography", "JSON", "Outbound", "Storage", "Access", logging], testing: ["Sealing"])
targets += capability("PostgresClient", ["Cryptography", "CPostgres", "CPostgresShim"])
targets += capability("Streams", ["Cryptography", "CSSL"])
targets += capability("MariaDBClient", ["Cryptography", "Streams"])
targets += capability("RedisClient", ["Cryptography", "Streams"])
targets += capability(
    "Connectors", ["Domain", "Cryptography", "SSH", "PostgresClient", "MariaDBClient", "RedisClient", "Streams"])
targets += capability(
    "Automation",
    ["Domain", "Cryptography", "JSON", "Storage", "Audit", "Access", "Vault", "Connectors", "Notifications", metrics, logging],
    testing: ["Sealing"])
targets += capability(
    "API",
    [
        "Domain", "Cryptography", "JSON", "HTTPServer", "Storage", "Audit", "Access", "Vault", "Automation", "Threads", metrics,
        logging,
    ],
    testing: ["Server", "Sealing"])
targets += capability("Client", ["Cryptography", "JSON", "Outbound"])
targets += capability(
    "Server",
    [
        "Domain", "Cryptography", "JSON", "HTTPServer", "Storage", "Sealing", "Audit", "Access", "Vault", "Notifications",
        "Connectors", "Automation", "API", "Outbound", "Threads", "CProcessShim",
        logging, metrics, lifecycle, signals, yaml,
    ])

// MARK: - Programs and tests across capabilities

targets += [
    .executableTarget(
        name: "keyturnd",
        dependencies: ["Server", "Domain", "Cryptography", "HTTPServer", "JSON", "Sealing", arguments, logging],
        swiftSettings: strict),
    .executableTarget(
        name: "keyturn", dependencies: ["Client", "Cryptography", "JSON", "Outbound", arguments], swiftSettings: strict),
    .testTarget(
        name: "keyturnTests", dependencies: ["keyturn", "TestSupport", "JSON"], exclude: ["Golden"], swiftSettings: strict),
    .executableTarget(
        name: "BenchLoad",
        dependencies: ["Access", "Automation", "Cryptography", "Domain", "Sealing", "Server", "Storage", arguments],
        path: "Tests/BenchLoad",
        swiftSettings: strict),
    .target(name: "TestSupport", dependencies: ["JSON", "Outbound"], path: "Tests/TestSupport", swiftSettings: strict),
    .testTarget(name: "ArchitectureTests", dependencies: ["TestSupport"], swiftSettings: strict),
    .testTarget(
        name: "EndToEndTests",
        dependencies: ["TestSupport", "Client", "Cryptography", "JSON", "Outbound", "keyturnd", "keyturn"], exclude: ["Golden"],
        swiftSettings: strict),
]

let package = Package(
    name: "keyturn",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "keyturnd", targets: ["keyturnd"]),
        .executable(name: "keyturn", targets: ["keyturn"]),
        .library(name: "KeyturnClient", targets: ["Client"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", exact: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: targets
)
