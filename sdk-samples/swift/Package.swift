// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "sample",
    dependencies: [.package(name: "keyturn", path: "../..")],
    targets: [
        .executableTarget(name: "Sample", dependencies: [.product(name: "KeyturnClient", package: "keyturn")])
    ]
)
