import Foundation
import Synchronization

/// The real `keyturnd` on a data directory of its own: made by `init`, started by `serve`, stopped, killed and started again.
package final class ServerProcess: Sendable {
    /// What `keyturnd init --json` prints.
    package struct FirstLogin: Sendable, Decodable {
        package let username: String
        package let password: String
        package let caCertificate: String
        package let recoveryFile: String
        package let keyDirectory: String

        private enum CodingKeys: String, CodingKey {
            case username, password
            case caCertificate = "ca_certificate"
            case recoveryFile = "recovery_file"
            case keyDirectory = "key_directory"
        }
    }

    package let directory: TemporaryDirectory
    package let data: String
    package let firstLogin: FirstLogin
    /// Further options of `serve`, and changes of its environment.
    private let options: [String]
    private let environment: [String: String?]
    /// What starts the server instead of the test itself, such as `strace -D …`; it must become the server.
    private let launcher: [String]
    private let state: Mutex<State>

    private struct State {
        var port: UInt16
        var program: RunningProgram?
        var starts = 0
    }

    package var port: UInt16 { state.withLock { $0.port } }
    package var address: String { "127.0.0.1:\(port)" }
    package var url: String { "https://\(address)" }
    package var curl: Curl { Curl(base: url, certificateAuthority: firstLogin.caCertificate) }
    package var program: RunningProgram? { state.withLock { $0.program } }

    /// Makes a data directory and starts the server on it.
    ///
    /// - Parameter configuration: The text of a configuration file; nil for the defaults.
    package static func start(
        configuration: String? = nil, options: [String] = [], environment: [String: String?] = [:], launcher: [String] = []
    ) async throws -> ServerProcess {
        let server = try await make(
            configuration: configuration, options: options, environment: environment, launcher: launcher)
        try await server.start()
        return server
    }

    /// Makes a data directory, and starts nothing yet.
    ///
    /// - Parameter data: where it is made, which need not be there yet; nil for a place of its own.
    package static func make(
        configuration: String? = nil, options: [String] = [], environment: [String: String?] = [:], launcher: [String] = [],
        data: String? = nil
    ) async throws -> ServerProcess {
        let directory = try TemporaryDirectory("server")
        let data = data ?? directory.file("data")
        var options = options
        if let configuration { options += ["--config", try directory.write(configuration, to: "keyturn.yaml")] }
        let made = try await RunningProgram.run(
            Products.keyturnd, ["init", "--data", data, "--yes", "--json"], environment: environment)
        guard made.succeeded else {
            throw ProgramFault.unexpected("keyturnd init ended with \(made.ending)", output: made.text + made.standardError)
        }
        let firstLogin = try JSONDecoder().decode(FirstLogin.self, from: Data(made.output))
        return try ServerProcess(directory, data, firstLogin, options, environment, launcher)
    }

    private init(
        _ directory: TemporaryDirectory, _ data: String, _ firstLogin: FirstLogin, _ options: [String],
        _ environment: [String: String?],
        _ launcher: [String]
    ) throws {
        self.directory = directory
        self.data = data
        self.firstLogin = firstLogin
        self.options = options
        self.environment = environment
        self.launcher = launcher
        state = Mutex(State(port: try FreePort.any()))
    }
}

extension ServerProcess {
    /// Starts `serve` and waits until it answers. A port that somebody else took meanwhile is replaced by another one.
    ///
    /// - Parameter extra: further changes of the environment, for this start alone.
    package func start(_ limit: Duration = .seconds(180), environment extra: [String: String?] = [:]) async throws {
        for attempt in 1...3 {
            let (port, number) = state.withLock { state in
                state.starts += 1
                return (state.port, state.starts)
            }
            let command = launcher + [Products.keyturnd, "serve", "--data", data, "--listen", "127.0.0.1:\(port)"] + options
            let program = try RunningProgram(
                command[0], Array(command.dropFirst()), environment: environment.merging(extra) { $1 },
                logs: (directory.path, "serve-\(number)"))
            state.withLock { $0.program = program }
            if try await isReady(program, limit) { return }
            let said = program.standardOutput + program.standardError
            guard attempt < 3, said.lowercased().contains("in use") else {
                throw ProgramFault.unexpected(
                    "keyturnd serve ended with \(program.poll().map { "\($0)" } ?? "nothing")", output: said)
            }
            let another = try FreePort.any()
            state.withLock { $0.port = another }
        }
    }

    /// Whether it answers HTTPS in time, with whatever status: strangers are not told its health.
    private func isReady(_ program: RunningProgram, _ limit: Duration) async throws -> Bool {
        let deadline = ContinuousClock.now + limit
        while program.poll() == nil {
            if (try? await curl.request("GET", "/readyz", limit: .seconds(20))) != nil { return true }
            guard ContinuousClock.now < deadline else {
                throw ProgramFault.timedOut("the start of keyturnd", output: program.standardOutput + program.standardError)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    /// Asks it to end, and waits for that.
    @discardableResult
    package func stop(_ limit: Duration = .seconds(120)) async throws -> RunningProgram.Ending? {
        guard let program else { return nil }
        program.signal(SIGTERM)
        let ending = try await program.wait(limit)
        state.withLock { $0.program = nil }
        return ending
    }

    /// SIGKILL: it gets no chance to write anything.
    package func kill() async throws {
        guard let program else { return }
        program.signal(SIGKILL)
        _ = try await program.wait()
        state.withLock { $0.program = nil }
    }

    package func restart() async throws {
        try await stop()
        try await start()
    }

    /// Everything that all starts of this server have written to standard output and error.
    package var log: String {
        let starts = state.withLock { $0.starts }
        return (1...max(1, starts)).flatMap { ["serve-\($0).out", "serve-\($0).err"] }
            .map { String(decoding: (try? directory.read($0)) ?? [], as: UTF8.self) }.joined()
    }

    /// Runs `keyturnd` with the arguments and `--data` of this server.
    package func operate(_ arguments: [String], input: [UInt8] = []) async throws -> Finished {
        try await RunningProgram.run(
            Products.keyturnd, arguments + ["--data", data], input: input, environment: environment)
    }

    /// Runs `keyturn` against this server, with a configuration directory of its own.
    package func client(_ arguments: [String], input: [UInt8] = [], environment: [String: String?] = [:]) async throws -> Finished
    {
        var variables: [String: String?] = [
            "KEYTURN_URL": url, "KEYTURN_CA": firstLogin.caCertificate, "KEYTURN_CONFIG": directory.file("client"),
        ]
        variables.merge(environment) { $1 }
        return try await RunningProgram.run(Products.keyturn, arguments, input: input, environment: variables)
    }
}
