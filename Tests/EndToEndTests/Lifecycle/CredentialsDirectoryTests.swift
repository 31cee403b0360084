import Foundation
import JSON
import TestSupport
import Testing

/// The key file as a credential of the service manager (`LoadCredential=`), in a directory that it names to the process.
@Suite("Credentials of the service manager")
struct CredentialsDirectoryTests {
    @Test("the key file is found in $CREDENTIALS_DIRECTORY, and a configured key directory wins over it")
    func environment() async throws {
        let server = try await ServerProcess.make()
        let credentials = server.directory.file("credentials")
        try FileManager.default.moveItem(atPath: server.firstLogin.keyDirectory, toPath: credentials)
        chmod(credentials + "/keyturn.key", 0o400)
        try await server.start(environment: ["CREDENTIALS_DIRECTORY": credentials])
        #expect(try await Self.isSealed(server) == false)
        try await server.stop()
        try await server.start()
        #expect(try await Self.isSealed(server) == true, "nothing names the directory")
        try await server.stop()
        let elsewhere = try await ServerProcess.make(configuration: "key_directory: /nowhere\n")
        try await elsewhere.start(environment: ["CREDENTIALS_DIRECTORY": elsewhere.firstLogin.keyDirectory])
        #expect(try await Self.isSealed(elsewhere) == true)
    }

    private static func isSealed(_ server: ServerProcess) async throws -> Bool? {
        try await JSONDocument.parse(server.operate(["status", "--json"]).output)["sealed"]?.bool
    }

    @Test(
        "a credential that is root's and lent to the server's user is read (0440); one that everybody can read is not",
        .enabled(if: geteuid() == 0 && Products.isReachable, "needs another user who may run the program"),
        arguments: [("0440", "false"), ("0400", "true"), ("0444", "true"), ("0460", "true")])
    func lent(mode: String, isSealed: String) async throws {
        let scratch = try TemporaryDirectory()
        chmod(scratch.path, 0o777)
        // Membership of root's group stands for the entry of the access list: it lets the user read what the mode shows.
        let nobody = "setpriv --reuid=65534 --regid=65534 --groups=0"
        let script = """
            cd / && umask 077
            \(nobody) \(Products.keyturnd) init --data \(scratch.path)/data --yes --json >/dev/null || exit 9
            mkdir -m 0755 \(scratch.path)/credentials && cp \(scratch.path)/data-keys/keyturn.key \(scratch.path)/credentials
            chown root:root \(scratch.path)/credentials/keyturn.key && chmod \(mode) \(scratch.path)/credentials/keyturn.key
            export CREDENTIALS_DIRECTORY=\(scratch.path)/credentials
            \(nobody) \(Products.keyturnd) serve --data \(scratch.path)/data --listen 127.0.0.1:0 2>/dev/null & pid=$!
            for i in $(seq 600); do
                [ -S \(scratch.path)/data/control.sock ] && break; sleep 0.1
            done
            \(Products.keyturnd) status --data \(scratch.path)/data --json; kill $pid; wait $pid
            """
        let outcome = try await RunningProgram.run("sh", ["-c", script])
        #expect(outcome.text.contains("\"sealed\":\(isSealed)"), "\(outcome.text)\(outcome.standardError)")
    }
}
