import Foundation

/// A whole Linux host for a test: a real sshd with users of its own, in a mount and process namespace of its own.
///
/// `/etc`, `/home`, `/root` and the places where logins are written down are overlays in memory, `/run` and `/tmp` are new, so that
/// nothing here ever touches the machine. When the value goes, or the test program dies, everything that runs in it goes too.
package final class TestHost: Sendable {
    /// An account that is made when the host starts.
    package struct User: Sendable {
        package let name: String
        /// Nil leaves the account without a usable password.
        package let password: String?
        package let sudo: Sudo
        /// Lines of its `authorized_keys`; `TestHost.start` adds nothing of its own.
        package let keys: [String]
        /// Further arguments of `useradd`: `["--system"]`, `["--groups", "adm"]`.
        package let arguments: [String]

        package enum Sudo: Sendable { case none, withPassword, withoutPassword }

        package init(
            _ name: String, password: String? = nil, sudo: Sudo = .none, keys: [String] = [], arguments: [String] = []
        ) {
            self.name = name
            self.password = password
            self.sudo = sudo
            self.keys = keys
            self.arguments = arguments
        }
    }

    package enum KeyType: String, Sendable { case ed25519, ecdsa, rsa }

    /// A way to log in.
    package struct Login: Sendable {
        package let username: String
        package let password: String
        /// An Ed25519 key in OpenSSH's form, without passphrase, which the account accepts too.
        package let privateKey: [UInt8]
    }

    /// Where sshd listens, on 127.0.0.1.
    package let port: Int
    /// `SHA256:…` of the key that a modern client negotiates: Ed25519 before ECDSA before RSA.
    package let hostKey: String
    /// Root may log in by password and by key.
    package let root: Login
    /// The first process of the host as the machine numbers it.
    package let firstProcess: Int32
    private let program: RunningProgram

    /// Nil where hosts can be made, else what is missing. For `.enabled(if: TestHost.obstacle == nil, "…")`.
    package static let obstacle: String? = {
        let probe =
            "mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir /run/u /run/w"
            + " && mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/u,workdir=/run/w /etc && command -v /usr/sbin/sshd && command -v sudo"
        do {
            let tried = try ExternalProgram.run(
                "unshare", ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", probe])
            return tried.status == 0
                ? nil : "no host of its own can be made here (unshare, overlay, sshd, sudo): \(tried.standardError)"
        } catch {
            return "no host of its own can be made here: \(error)"
        }
    }()

    /// Starts a host and waits until its sshd answers.
    ///
    /// - Parameters:
    ///   - users: made beside root.
    ///   - hostKeys: what kinds of host key sshd has.
    ///   - settings: lines of `sshd_config`; they win over those that stand there.
    ///   - setUp: runs as root in the host, under `set -e`, before sshd starts.
    package static func start(
        users: [User] = [], hostKeys: [KeyType] = [.ed25519, .ecdsa, .rsa], settings: [String] = [], setUp: String = ""
    ) async throws -> TestHost {
        var lastFault: any Error = ProgramFault.unexpected("sshd did not start", output: "")
        for _ in 1...3 {
            do {
                return try await TestHost(users, hostKeys, settings, setUp, port: Int(try FreePort.any()))
            } catch let ProgramFault.unexpected(what, output) where output.contains("in use") {
                lastFault = ProgramFault.unexpected(what, output: output)
            }
        }
        throw lastFault
    }

    private init(_ users: [User], _ hostKeys: [KeyType], _ settings: [String], _ setUp: String, port: Int) async throws {
        self.port = port
        let password = "root-\(UInt64.random(in: .min ... .max))"
        let key = try TestKeyPair.make(.ed25519)
        root = Login(username: "root", password: password, privateKey: key.privateKey)
        let script = TestHostScript(
            users: [User("root", password: password, keys: [key.publicKey])] + users, hostKeys: hostKeys, settings: settings,
            setUp: setUp, port: port)
        program = try RunningProgram(
            "unshare",
            [
                "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "bash", "-c",
                script.text,
            ])
        try await program.waitForOutput("the host is up")
        let fingerprints = program.standardOutput.split(separator: "\n").filter { $0.hasPrefix("hostkey ") }
        guard let first = fingerprints.first, let child = Self.child(of: program.pid) else {
            throw ProgramFault.unexpected("the host said nothing of its keys", output: program.standardOutput)
        }
        hostKey = String(first.dropFirst("hostkey ".count))
        firstProcess = child
    }

    /// What sshd and the preparation wrote.
    package var log: String { program.standardOutput + program.standardError }

    /// The same, once nothing more comes: what sshd says of a login may come a little after its answer.
    package func settledLog() async throws -> String {
        var last = log
        for _ in 0..<100 {
            try await Task.sleep(for: .milliseconds(500))
            let now = log
            if now == last { break }
            last = now
        }
        return last
    }

    /// In how many lines of its log it says something: waits until there are so many, and then until nothing more comes.
    package func count(of words: String, awaiting count: Int) async throws -> Int {
        func lines(_ log: String) -> Int { log.split(whereSeparator: \.isNewline).filter { $0.contains(words) }.count }
        let deadline = ContinuousClock.now + .seconds(60)
        while lines(log) < count, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(20)) }
        return lines(try await settledLog())
    }

    /// Runs a command of bash in the host, as root.
    @discardableResult
    package func shell(_ command: String, input: [UInt8] = [], limit: Duration = .seconds(180)) async throws -> Finished {
        try await RunningProgram.run(
            "nsenter", ["--target", "\(firstProcess)", "--mount", "--pid", "bash", "-c", command], input: input,
            environment: ["LC_ALL": "C"], limit: limit)
    }

    /// The same, for a command that must succeed; its output.
    @discardableResult
    package func expect(_ command: String, input: [UInt8] = []) async throws -> String {
        let done = try await shell(command, input: input)
        guard done.succeeded else { throw ProgramFault.unexpected(command, output: done.text + done.standardError) }
        return done.text
    }

    /// Makes new host keys of one type, has sshd use them alone, and returns the fingerprint.
    package func changeHostKey(_ type: KeyType = .ed25519) async throws -> String {
        let text = try await expect(
            """
            set -e
            rm -f /etc/ssh/host_*
            ssh-keygen -q -t \(type.rawValue) -N '' -f /etc/ssh/host_\(type.rawValue)
            sed -i '/^HostKey /d' /etc/ssh/sshd_config
            echo 'HostKey /etc/ssh/host_\(type.rawValue)' >> /etc/ssh/sshd_config
            ssh-keygen -lf /etc/ssh/host_\(type.rawValue).pub | cut -d' ' -f2
            pid=$(cat /run/sshd.pid)
            rm /run/sshd.pid
            kill -HUP "$pid"
            # It writes the file anew when it listens again; before that it is the old one that answers.
            for try in $(seq 6000); do [ -s /run/sshd.pid ] && exit 0; sleep 0.01; done
            exit 1
            """)
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Ends the host with everything in it.
    package func stop() async {
        program.closeInput()
        _ = try? await program.wait(.seconds(10))
    }

    private static func child(of pid: Int32) -> Int32? {
        let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
        return text?.split(separator: " ").first.flatMap { Int32($0) }
    }
}
