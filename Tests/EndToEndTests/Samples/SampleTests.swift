import Foundation
import JSON
import TestSupport
import Testing

/// `sdk-samples/`: every sample does its five steps against the live server.
@Suite("Samples")
struct SampleTests {
    /// What each needs beside what every test needs.
    private static let programs = [
        "curl": "curl", "python": "python3", "node": "node", "java": "java", "go": "go", "swift": "swift",
    ]

    @Test(
        "the sample fetches, handles a refusal, and fetches again after the secret changed", .timeLimit(.minutes(30)),
        arguments: ["curl", "python", "node", "java", "go", "swift"])
    func sample(_ name: String) async throws {
        // `make test` installs them all; `swift test` alone may run without.
        let program = Self.programs[name] ?? name
        guard try await RunningProgram.run("sh", ["-c", "command -v \(program)"]).succeeded else {
            Issue.record("\(program) is missing: scripts/install-dependencies.sh test")
            return
        }
        let vault = try await SmallVault.start()
        let scratch = try TemporaryDirectory("sample")
        let change = try scratch.write(
            """
            #!/bin/sh
            exec curl --silent --show-error --fail --output /dev/null --cacert '\(vault.server.firstLogin.caCertificate)' \
                --request PATCH --header 'Authorization: Bearer \(vault.admin.token)' --header 'Content-Type: application/json' \
                --data '{"secret":"a new one, größer & \\"better\\""}' '\(vault.server.url)/api/v1/accounts/accounts/\(vault.account)/'

            """, to: "change.sh")
        let environment = [
            "SAMPLES": name, "KEYTURN_URL": vault.server.url, "KEYTURN_KEY_ID": vault.key.id,
            "KEYTURN_KEY_SECRET": vault.key.secret,
            "KEYTURN_CA": vault.server.firstLogin.caCertificate, "KEYTURN_ORG": ApplicationKey.organization,
        ]
        let finished = try await RunningProgram.run(
            "bash", ["sdk-samples/check.sh", "db1", "root", "sh", change], environment: environment, directory: Products.root,
            limit: .seconds(1700))
        #expect(finished.succeeded, "\(finished.text)\n\(finished.standardError)")
        #expect(finished.text.contains("\(name): passed\n1 passed, 0 failed\n"))
        // The new secret is what the last fetch printed of it.
        let outcomes = try await AuditExport(vault.server).entries("secret.fetch")
        #expect(outcomes.compactMap { $0["outcome"]?.string } == ["granted", "refused", "granted"])
        #expect(outcomes.last?["version"]?.int == 2)
    }
}
